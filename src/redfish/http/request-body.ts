import { isUtf8 } from 'node:buffer';
import type { Validator } from '../../../schemas/generated/validators.js';
import { didYouMean } from '../../core/likely-name.ts';
import { type Problem, validate } from '../../core/validation.ts';
import type { Message } from '../messages/base-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';

/** The body of a request, as its operation wants to have it. */
export interface RequestBody {
  /** Empty once they were parsed: a change may wait for long, and needs them no more. */
  readonly bytes: Buffer;
  /** Made anew each time. */
  readonly text: string;
  /** Names of the members that `parse` found, for the audit. */
  readonly members: readonly string[];
  /** @throws RedfishError 400 that names each member that is not as the schema says */
  parse<T>(validator: Validator<T>, options?: ParseOptions): T;
}

export interface ParseOptions {
  /** Full name of the action whose parameters these are. */
  readonly action?: string;
  /** Members that may be a bare URI string where Redfish has an object with `@odata.id`. */
  readonly references?: readonly string[];
  /** Every member may be left out, and so may the whole body. */
  readonly optional?: boolean;
  /** The resource that the members are to change: what it shows and the schema lacks is read-only. */
  readonly changes?: object;
  /** Members of the schema that this one resource has for reading only. */
  readonly readOnly?: readonly string[];
}

export const noBytes = Buffer.alloc(0);

export function makeBody(given: Buffer): RequestBody {
  let bytes = withoutMark(given);
  let parsed: readonly string[] = [];
  return {
    get bytes() {
      return bytes;
    },
    get text() {
      return bytes.toString('utf8');
    },
    get members() {
      return parsed;
    },
    parse(validator, options = {}) {
      const { readOnly = [] } = options;
      const json = bytes;
      bytes = noBytes;
      const sent = withReferences(withoutAnnotations(parseObject(json, options)), options);
      const names = Object.keys(sent);
      parsed = names;
      if (options.changes && names.length === 0) {
        throw new RedfishError(400, { id: 'NoOperation', args: [] });
      }
      const fixed = names.filter((name) => readOnly.includes(name));
      const rest = Object.entries(sent).filter(([name]) => !fixed.includes(name));
      const members = Object.fromEntries(rest);
      const result = validate(validator, members);
      const problems = result.ok ? unusableTexts(members) : result.problems;
      if (result.ok && fixed.length === 0 && problems.length === 0) return result.value;
      throw new RedfishError(400, [
        ...fixed.map(notWritable),
        ...problems.slice(0, maxProblems).map((problem) => describe(problem, members, options)),
      ]);
    },
  };
}

/** RFC 8259 §8.1: a byte order mark may be ignored; PowerShell and editors of Windows put one before what they write. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes;
}

const byteOrderMark = Buffer.from('\ufeff');

type Members = Readonly<Record<string, unknown>>;

function parseObject(json: Buffer, { optional = false }: ParseOptions): Members {
  const text = json.toString('utf8');
  if (optional && text.trim() === '') return {};
  // RFC 8259 §8.1; else every wrong byte would become the same character
  if (!isUtf8(json)) {
    const detail = 'JSON is UTF-8, and the body is not';
    throw new RedfishError(400, { id: 'MalformedJSON', args: [], detail });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RedfishError(400, { id: 'MalformedJSON', args: [], detail: faultOf(text, error) });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const detail = 'the body is JSON and no object, which begins with a brace';
    throw new RedfishError(400, { id: 'UnrecognizedRequestBody', args: [], detail });
  }
  if (Object.keys(value).length === 0 && !optional)
    throw new RedfishError(400, { id: 'EmptyJSON', args: [] });
  return { ...value };
}

/** @param error of JSON.parse, whose own words may quote secrets, and which tells the place of most faults */
function faultOf(text: string, error: unknown): string {
  if (text.trim() === '') return 'the body is empty, and JSON (application/json) is wanted';
  if (/^\s*-----BEGIN /.test(text))
    return 'the body is PEM, and JSON (application/json) is wanted: a member has the PEM, with \\n for each line end';
  const at = /at position (\d+)/.exec(String(error))?.[1];
  if (at === undefined) return 'the body is no JSON (application/json)';
  const lines = text.slice(0, Number(at)).split('\n');
  if (/^[\r\n]/.test(text.slice(Number(at))))
    return `a string has a line end in line ${lines.length}, which JSON writes as \\n`;
  return `the body is no JSON from line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1} on`;
}

/** DSP0266: a service shall ignore OData annotations that it does not know, those of a member too. */
function withoutAnnotations(members: Members): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !name.includes('@odata.')));
}

function withReferences(members: Members, { references = [] }: ParseOptions): Members {
  const changed = references
    .filter((name) => typeof members[name] === 'string')
    .map((name) => [name, { '@odata.id': members[name] }] as const);
  return { ...members, ...Object.fromEntries(changed) };
}

/**
 * No string of ours has a NUL: the bus cannot carry it, and other programs would end the text there. None
 * has half of a surrogate pair: UTF-8 cannot say it, and it would become another character on its way.
 */
function unusableTexts(value: unknown, path = ''): readonly Problem[] {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      return [
        { path, kind: 'format', text: 'must not hold a NUL, as binary files and UTF-16 text do' },
      ];
    const text = 'must not hold half of a surrogate pair';
    return /\p{Cs}/u.test(value) ? [{ path, kind: 'format', text }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => unusableTexts(one, `${path}/${name}`));
}

/** Problems that one answer names, and characters of a name or value that it shows. */
const maxProblems = 10;
const longestShown = 100;

/** Members whose values never stand in an answer. */
const secrets = [
  'AuthoritiesString',
  'CertificateString',
  'ChallengePassword',
  'HttpHeaders',
  'Password',
  'Token',
];

/** What a change names and no client can change. */
export function notWritable(name: string): Message {
  return { id: 'PropertyNotWritable', args: [name], related: [`#/${name}`] };
}

function describe(
  { path, kind, text, known }: Problem,
  members: Members,
  { action, changes }: ParseOptions,
): Message {
  const name = path.slice(1, longestShown);
  const related = [`#/${name}`];
  const detail = `${name} ${text}`;
  const noun = action === undefined ? 'Property' : 'ActionParameter';
  const of = action === undefined ? [] : [action];
  switch (kind) {
    case 'missing':
      return { id: `${noun}Missing`, args: [...of, name], related };
    case 'unknown': {
      if (changes && isShown(changes, name)) return notWritable(name);
      const meant = didYouMean(name.slice(name.lastIndexOf('/') + 1), known);
      return {
        id: `${noun}Unknown`,
        args: [...of, name],
        related,
        ...(meant && { detail: meant }),
      };
    }
    case 'type':
    case 'not-listed': {
      const id = kind === 'type' ? 'ValueTypeError' : 'ValueNotInList';
      const args = [shownValue(name, members), name, ...of];
      return { id: `${noun}${id}`, args, detail, related };
    }
    default:
      return { id: `${noun}ValueError`, args: [name, ...of], detail, related };
  }
}

/** @param name of a member, with `/` before those within */
function isShown(resource: object, name: string): boolean {
  let at: unknown = resource;
  for (const key of name.split('/')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = Reflect.get(at, key);
  }
  return true;
}

function shownValue(name: string, members: Members): string {
  const [top = '', ...below] = name.split('/');
  if (secrets.includes(top)) return '(not shown)';
  const value = below.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    members[top],
  );
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}';
  return String(JSON.stringify(value)).slice(0, longestShown);
}
