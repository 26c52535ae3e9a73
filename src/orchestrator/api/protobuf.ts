// The few messages that kubectl sends as Kubernetes' protobuf, whatever it is told about JSON, made into what JSON would have been.
import { WIRE, WireError, WireReader } from '../../base/protobuf-wire.ts';
import { badRequest } from './faults.ts';

type Type = 'string' | 'integer' | 'flag' | 'time' | 'labels' | Message;
interface Member {
  readonly name: string;
  readonly type: Type;
  readonly many?: boolean;
}
/** Members by their numbers (generated.proto beside each package of k8s.io/api). What is not named is skipped. */
type Message = Readonly<Record<number, Member>>;

const text = (name: string): Member => ({ name, type: 'string' });
const texts = (name: string): Member => ({ name, type: 'string', many: true });
const whole = (name: string): Member => ({ name, type: 'integer' });
const inner = (name: string, type: Message): Member => ({ name, type });

const META: Message = {
  1: text('name'),
  2: text('generateName'),
  3: text('namespace'),
  5: text('uid'),
  6: text('resourceVersion'),
  7: whole('generation'),
  8: { name: 'creationTimestamp', type: 'time' },
  11: { name: 'labels', type: 'labels' },
  12: { name: 'annotations', type: 'labels' },
  14: texts('finalizers'),
};
const RESOURCE: Message = {
  1: text('namespace'),
  2: text('verb'),
  3: text('group'),
  4: text('version'),
  5: text('resource'),
  6: text('subresource'),
  7: text('name'),
};

const MESSAGES: Readonly<Record<string, Message>> = {
  DeleteOptions: {
    1: whole('gracePeriodSeconds'),
    2: inner('preconditions', { 1: text('uid'), 2: text('resourceVersion') }),
    3: { name: 'orphanDependents', type: 'flag' },
    4: text('propagationPolicy'),
    5: texts('dryRun'),
  },
  Namespace: {
    1: inner('metadata', META),
    2: inner('spec', { 1: texts('finalizers') }),
    3: inner('status', { 1: text('phase') }),
  },
  SelfSubjectAccessReview: {
    1: inner('metadata', META),
    2: inner('spec', {
      1: inner('resourceAttributes', RESOURCE),
      2: inner('nonResourceAttributes', { 1: text('path'), 2: text('verb') }),
    }),
  },
  SelfSubjectRulesReview: { 1: inner('metadata', META), 2: inner('spec', { 1: text('namespace') }) },
  SelfSubjectReview: { 1: inner('metadata', META) },
};

/** Before every message: apimachinery/pkg/runtime/serializer/protobuf. */
const MAGIC = Buffer.from('k8s\0');
const TYPE_META: Message = { 1: text('apiVersion'), 2: text('kind') };

interface Part {
  readonly number: number;
  /** A length-delimited part, or undefined for one that is a number. */
  readonly bytes: Buffer | undefined;
  readonly value: bigint;
}

const broken = (): Error => badRequest('the body cannot be read: it is no protobuf message of Kubernetes');

/** Parts of a message in order. Throws 400 where it ends in the middle of one. */
function* parts(message: Buffer): Generator<Part> {
  const reader = new WireReader(message);
  try {
    while (reader.next()) {
      const { field: number, type } = reader;
      if (type === WIRE.varint) yield { number, bytes: undefined, value: reader.int64() };
      else if (type === WIRE.bytes) yield { number, bytes: reader.bytes(), value: 0n };
      else reader.skip();
    }
  } catch (error) {
    throw error instanceof WireError ? broken() : error;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw broken();
  }
}

function decodeMember(type: Type, { bytes, value }: Part): unknown {
  if (type === 'integer' || type === 'flag') {
    if (bytes !== undefined) throw broken();
    return type === 'flag' ? value !== 0n : Number(value);
  }
  if (bytes === undefined) throw broken();
  if (type === 'string') return decodeText(bytes);
  if (type === 'labels') return decodeMessage({ 1: text('key'), 2: text('value') }, bytes);
  if (type !== 'time') return decodeMessage(type, bytes);
  const { seconds } = decodeMessage({ 1: whole('seconds') }, bytes) as { readonly seconds?: number };
  // The zero time of Go, which JSON writes as null, is an empty message.
  if (seconds === undefined || Math.abs(seconds) > 1e11) return undefined;
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function decodeMessage(message: Message, bytes: Buffer): Readonly<Record<string, unknown>> {
  const decoded = new Map<string, unknown>();
  const lists = new Map<string, unknown[]>();
  const labels = new Map<string, [string, string][]>();
  for (const part of parts(bytes)) {
    const member = Object.hasOwn(message, part.number) ? message[part.number] : undefined;
    if (member === undefined) continue;
    const { name, type, many } = member;
    const value = decodeMember(type, part);
    if (type === 'labels') {
      const { key = '', value: of = '' } = value as { readonly key?: string; readonly value?: string };
      addTo(labels, name, [key, of]);
    } else if (many === true) addTo(lists, name, value);
    // Go writes texts that are empty; JSON leaves them out.
    else if (value !== undefined && value !== '') decoded.set(name, value);
  }
  // Made at once, for there may be hundreds of thousands; own properties, whatever a key is called.
  for (const [name, entries] of labels) decoded.set(name, Object.fromEntries(entries));
  return Object.fromEntries([...decoded, ...lists]);
}

function addTo<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else list.push(item);
}

/** A body of `application/vnd.kubernetes.protobuf`; undefined for a kind that is read as JSON and YAML only. Throws 400. */
export function decodeProtobuf(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw broken();
  let type: { readonly apiVersion?: string; readonly kind?: string } = {};
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, bytes } of parts(body.subarray(MAGIC.length))) {
    if (number === 1 && bytes !== undefined) type = decodeMessage(TYPE_META, bytes);
    if (number === 2 && bytes !== undefined) raw = bytes;
  }
  const { apiVersion, kind = '' } = type;
  const message = Object.hasOwn(MESSAGES, kind) ? MESSAGES[kind] : undefined;
  return message === undefined ? undefined : { apiVersion, kind, ...decodeMessage(message, raw) };
}
