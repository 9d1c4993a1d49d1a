/** The keywords of JSON Schema (draft 7) that our schemas have; the build refuses others. */
export interface Schema {
  readonly type?: JsonType | readonly JsonType[];
  readonly const?: string | number | boolean | null;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
}

type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';

/** One thing in a document that its schema forbids. Values are never quoted: they may be secrets. */
export interface Problem {
  /** JSON pointer of the member, empty for the whole document. */
  readonly path: string;
  readonly kind: 'missing' | 'unknown' | 'type' | 'not-listed' | 'format';
  readonly text: string;
}

export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks a value that came from outside; members with a default are filled in, in the value itself. */
export type Validator<T> = (value: unknown) => Validation<T>;

/**
 * Schemas are read when they are needed, and not kept: code generated from them has ten times their size, in each program.
 * @param schema makes the schema of T
 */
export function validator<T>(schema: () => Schema): Validator<T> {
  return (value) => {
    const problems: Problem[] = [];
    check(schema(), value, '', problems);
    return problems.length === 0 ? { ok: true, value: value as T } : { ok: false, problems };
  };
}

type Report = (kind: Problem['kind'], text: string, member?: string) => void;

function check(schema: Schema, value: unknown, path: string, problems: Problem[]): void {
  const report: Report = (kind, text, member) => {
    problems.push({ path: member === undefined ? path : `${path}/${member}`, kind, text });
  };
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOfType[type](value))) {
    report('type', `must be ${types.join(',')}`);
  }
  if (typeof value === 'number') checkNumber(schema, value, report);
  if (typeof value === 'string') checkString(schema, value, report);
  if ('const' in schema && value !== schema.const) report('format', 'must be equal to constant');
  if (schema.enum?.every((one) => one !== value)) {
    report('not-listed', `must be one of ${schema.enum.join(', ')}`);
  }
  if (Array.isArray(value)) checkArray(schema, value, path, problems, report);
  else if (isObject(value)) checkObject(schema, value, path, problems, report);
}

const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isOfType: Readonly<Record<JsonType, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === 'boolean',
  integer: Number.isInteger,
  number: isNumber,
  string: (value) => typeof value === 'string',
  array: Array.isArray,
  object: isObject,
};

function checkNumber(schema: Schema, value: number, report: Report): void {
  const { maximum = value, minimum = value, exclusiveMinimum } = schema;
  if (value > maximum) report('format', `must be <= ${maximum}`);
  if (value < minimum) report('format', `must be >= ${minimum}`);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) {
    report('format', `must be > ${exclusiveMinimum}`);
  }
}

function checkString({ minLength, maxLength, pattern }: Schema, value: string, report: Report) {
  if (minLength !== undefined || maxLength !== undefined) {
    // Its characters are code points
    let length = 0;
    for (const _ of value) length += 1;
    checkCount(length, 'characters', minLength, maxLength, report);
  }
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) {
    report('format', `must match pattern "${pattern}"`);
  }
}

function checkCount(count: number, what: string, least = 0, most = count, report: Report): void {
  if (count > most) report('format', `must NOT have more than ${most} ${what}`);
  if (count < least) report('format', `must NOT have fewer than ${least} ${what}`);
}

function checkArray(
  { minItems, maxItems, items }: Schema,
  value: readonly unknown[],
  path: string,
  problems: Problem[],
  report: Report,
): void {
  checkCount(value.length, 'items', minItems, maxItems, report);
  if (!items) return;
  for (const [at, item] of value.entries()) check(items, item, `${path}/${at}`, problems);
}

function checkObject(
  { properties = {}, ...schema }: Schema,
  value: Record<string, unknown>,
  path: string,
  problems: Problem[],
  report: Report,
): void {
  for (const [name, { default: absent }] of Object.entries(properties)) {
    if (value[name] === undefined && absent !== undefined) value[name] = structuredClone(absent);
  }
  const names = Object.keys(value);
  checkCount(names.length, 'properties', schema.minProperties, schema.maxProperties, report);
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) report('missing', 'is required', name);
  }
  const { additionalProperties: others = true } = schema;
  for (const name of names.filter((one) => !Object.hasOwn(properties, one))) {
    if (others === false) report('unknown', 'is not known', name);
    else if (others !== true) check(others, value[name], `${path}/${escaped(name)}`, problems);
  }
  for (const [name, property] of Object.entries(properties)) {
    const member = value[name];
    if (member !== undefined) check(property, member, `${path}/${escaped(name)}`, problems);
  }
}

/** RFC 6901 §3 */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
