// The configuration: one YAML file, made of the parts' slices, checked whole; every wrong field is reported at once.
import { readFileSync, statSync } from 'node:fs';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { explain, Fault, faultKind, type FieldError, systemCode } from '../base/fault.ts';
import { LOG_LEVELS } from '../base/logging.ts';
import { describeField, parseWith, z } from '../base/schema.ts';
import { DockerConfig } from '../drivers/docker/config.ts';
import { OvsConfig } from '../drivers/ovsdb/config.ts';
import { HttpConfig } from '../http/config.ts';
import { InspectorConfig } from '../inspector/config.ts';
import { NpdFile, ProbesConfig, ProcessNamesFile } from '../probes/config.ts';
import { ReportConfig } from '../report/config.ts';
import { TracingConfig } from '../tracing/config.ts';

const CONFIG_INVALID = faultKind(
  'JD_CONFIG_INVALID',
  400,
  'correct the named fields; templates/jdos.example.yaml explains every key, and `jdos config check FILE` checks without starting',
);
const CONFIG_UNREADABLE = faultKind(
  'JD_CONFIG_UNREADABLE',
  400,
  'give --config the path of a readable YAML file, or leave it out for the defaults',
);

export const Config = z.strictObject({
  /** Where state lives; `--data-dir` wins. Absent: /var/lib/jdos as root, else $XDG_STATE_HOME/jdos. */
  dataDir: z.string().startsWith('/').optional(),
  /** Where the host's root is mounted when the daemon runs in a container; `--host-root` wins. */
  hostRoot: z.string().startsWith('/').default('/'),
  log: z.strictObject({ level: z.enum(LOG_LEVELS).optional() }).prefault({}),
  serve: z
    .strictObject({
      /** The user of the serve process when the daemon is started as root. */
      user: z.string().min(1).default('jdos'),
    })
    .prefault({}),
  http: HttpConfig.prefault({}),
  docker: DockerConfig.prefault({}),
  ovs: OvsConfig.prefault({}),
  probes: ProbesConfig.prefault({}),
  inspector: InspectorConfig.prefault({}),
  report: ReportConfig.prefault({}),
  tracing: TracingConfig.prefault({}),
});
export type Config = z.output<typeof Config>;

const MAX_BYTES = 1024 * 1024;
const MAX_ALIASES = 100;

/** What the command line says instead of the file. */
export interface Overrides {
  readonly dataDir?: string | undefined;
  readonly hostRoot?: string | undefined;
  readonly listen?: string | undefined;
  readonly listenTls?: string | undefined;
}

/** Checks the text of a configuration file; `name` is for the messages. Throws one Fault with all wrong fields. */
export function parseConfig(text: string, name: string, overrides: Overrides = {}): Config {
  const parsed = parseWith(Config, override(parseYaml(text, name), overrides));
  if ('errors' in parsed) throw invalid(name, parsed.errors);
  return parsed.value;
}

/** With the names of process groups out of process-exporter's own file, behind those in ours. Throws as {@link parseConfig}. */
export function withNamesFile(config: Config): Config {
  const { names = [], namesFile } = config.probes.processes;
  if (namesFile === undefined) return config;
  const parsed = parseWith(ProcessNamesFile, parseYaml(readConfig(namesFile), namesFile));
  if ('errors' in parsed) throw invalid(namesFile, parsed.errors);
  const processes = { ...config.probes.processes, names: [...names, ...parsed.value.process_names] };
  return { ...config, probes: { ...config.probes, processes } };
}

/** With the rules out of files of node-problem-detector, behind those in ours. Throws as {@link parseConfig}. */
export function withRuleFiles(config: Config): Config {
  const { rules, ruleFiles } = config.probes.kmsg;
  if (ruleFiles.length === 0) return config;
  const more = ruleFiles.flatMap((file) => {
    // JSON is YAML, and errors of YAML say in which line they are.
    const parsed = parseWith(NpdFile, parseYaml(readConfig(file), file));
    if ('errors' in parsed) throw invalid(file, parsed.errors);
    return parsed.value.rules;
  });
  const all = parseWith(NpdFile, { rules: [...rules, ...more] });
  if ('errors' in all) throw invalid(`what ${ruleFiles.join(', ')} have together`, all.errors);
  const kmsg = { ...config.probes.kmsg, rules: all.value.rules };
  return { ...config, probes: { ...config.probes, kmsg } };
}

/** YAML as plain values; `{}` for an empty text. Throws one Fault with all errors and their places. */
function parseYaml(text: string, name: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const details = document.errors.map((error): FieldError => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { path: `line ${line}, column ${col}`, expected: `YAML: ${error.message}` };
    });
    throw invalid(name, details);
  }
  return toPlain(document, name);
}

function toPlain(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch (error) {
    throw invalid(name, [{ path: '', expected: `YAML without alias bombs: ${explain(error)}` }]);
  }
}

/** The document with the command line's words in their places, so that they are checked like the file's. */
function override(raw: unknown, { dataDir, hostRoot, listen, listenTls }: Overrides): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const http = (raw as { http?: unknown }).http ?? {};
  const given = <V>(key: string, value: V | undefined): Record<string, V> =>
    value === undefined ? {} : { [key]: value };
  return {
    ...raw,
    ...given('dataDir', dataDir),
    ...given('hostRoot', hostRoot),
    ...(listen === undefined && listenTls === undefined
      ? {}
      : {
          http:
            typeof http === 'object' ? { ...http, ...given('listen', listen), ...given('listenTls', listenTls) } : http,
        }),
  };
}

const invalid = (name: string, details: readonly FieldError[]): Fault =>
  new Fault(
    CONFIG_INVALID,
    `${name} is not valid:\n${details.map((error) => `  ${describeField(error)}`).join('\n')}`,
    { details },
  );

/** The file that is read when `--config` is not given, where it exists. */
const DEFAULT_CONFIG_FILE = '/etc/jdos/jdos.yaml';

/** Reads and checks the configuration; without a file, the defaults. */
export function loadConfig(file: string | undefined, overrides: Overrides = {}): Config {
  const path = file ?? (exists(DEFAULT_CONFIG_FILE) ? DEFAULT_CONFIG_FILE : undefined);
  return path === undefined
    ? parseConfig('', 'the command line', overrides)
    : withRuleFiles(withNamesFile(parseConfig(readConfig(path), path, overrides)));
}

/** The text of a configuration file of sane size. */
export function readConfig(path: string): string {
  try {
    const about = statSync(path);
    if (!about.isFile()) throw new Fault(CONFIG_UNREADABLE, `${path} is not a regular file`);
    if (about.size > MAX_BYTES)
      throw new Fault(CONFIG_UNREADABLE, `${path} has ${about.size} bytes, at most ${MAX_BYTES} are read`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(CONFIG_UNREADABLE, `cannot read ${path} (${systemCode(error) ?? 'unknown'})`, { cause: error });
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** The top-level parts that differ between two configurations. */
export const changedParts = (before: Config, after: Config): readonly (keyof Config)[] =>
  (Object.keys(Config.shape) as (keyof Config)[]).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
