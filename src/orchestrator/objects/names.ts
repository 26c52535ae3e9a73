// The forms of names, labels and keys, with Kubernetes' words for what is wrong (apimachinery/pkg/util/validation).

const DNS1123_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS1123_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const tooLong = (length: number): string => `must be no more than ${length} bytes`;
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const ENV_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='";

/** What is wrong with a text, undefined where nothing is. */
type Check = (text: string) => string | undefined;

export const dnsLabel: Check = (text) =>
  text.length > 63 ? tooLong(63) : DNS1123_LABEL.test(text) ? undefined : LABEL_TEXT;

export const dnsSubdomain: Check = (text) =>
  text.length > 253 ? tooLong(253) : DNS1123_SUBDOMAIN.test(text) ? undefined : SUBDOMAIN_TEXT;

/** A key of a label or an annotation: `name` or `prefix/name`. */
export const qualifiedName: Check = (text) => {
  const parts = text.split('/');
  if (parts.length > 2) return "a qualified name must consist of a name with an optional DNS subdomain prefix and '/'";
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (prefix === '') return 'prefix part must be non-empty';
  const wrong = prefix === undefined ? undefined : dnsSubdomain(prefix);
  if (wrong !== undefined) return `prefix part ${wrong}`;
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return `name part ${tooLong(63)}`;
  return QUALIFIED.test(name) ? undefined : QUALIFIED_TEXT;
};

export const labelValue: Check = (text) =>
  text.length > 63 ? tooLong(63) : LABEL_VALUE.test(text) ? undefined : VALUE_TEXT;

export const envName: Check = (text) => (/^[ -<>-~]+$/.test(text) ? undefined : ENV_TEXT);

/** IANA_SVC_NAME: 15 characters, one letter at least. */
export const portName: Check = (text) => {
  if (text.length > 15) return 'must be no more than 15 characters';
  if (!/^[-a-z0-9]+$/.test(text)) return 'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)';
  if (!/[a-z]/.test(text)) return 'must contain at least one letter (a-z)';
  if (text.includes('--')) return 'must not contain consecutive hyphens';
  return /^-|-$/.test(text) ? 'must not begin or end with a hyphen' : undefined;
};
