import {
  Asn1Error,
  childrenOf,
  constructed,
  contextClass,
  type Element,
  readDer,
  wrap,
} from './element.ts';

/** A type of ASN.1: what its encodings begin with, how to read one and how to write one. */
export interface Type<T> {
  /** Absent for ANY. */
  readonly tags?: readonly number[];
  read(element: Element): T;
  write(value: T): Buffer;
}

export type ValueOf<S> = S extends Type<infer T> ? T : never;

/** A member of a SEQUENCE that may be absent. */
export interface OptionalType<T> extends Type<T> {
  readonly optional: true;
}

export function optional<T>(type: Type<T>): OptionalType<T> {
  return { ...type, optional: true };
}

/** Reads bytes that are exactly one encoding of a type. @throws Asn1Error */
export function readAs<T>(type: Type<T>, bytes: Uint8Array): T {
  const element = readDer(bytes);
  if (!fits(type, element)) throw new Asn1Error('it is of another type');
  return type.read(element);
}

type Members = Readonly<Record<string, Type<unknown>>>;

type OptionalKeys<M extends Members> = {
  [K in keyof M]: M[K] extends OptionalType<unknown> ? K : never;
}[keyof M];

type SequenceOf<M extends Members> = {
  readonly [K in Exclude<keyof M, OptionalKeys<M>>]: ValueOf<M[K]>;
} & { readonly [K in OptionalKeys<M>]?: ValueOf<M[K]> | undefined };

const sequenceTag = 0x30;

/** SEQUENCE, its members in their order. */
export function sequence<M extends Members>(members: M): Type<SequenceOf<M>> {
  const entries = Object.entries(members);
  return {
    tags: [sequenceTag],
    read(element) {
      const children = childrenOf(element);
      const value: Record<string, unknown> = {};
      for (const [name, type] of entries) {
        const [child] = children;
        if (child && fits(type, child)) value[name] = type.read(child);
        else if (isOptional(type)) continue;
        else throw new Asn1Error(`${name} is missing, or of another type`);
        children.shift();
      }
      if (children.length > 0) throw new Asn1Error('a SEQUENCE has more members than its type');
      // The members were read one by one, with the type of each
      return value as SequenceOf<M>;
    },
    write(value) {
      const encoded = entries.flatMap(([name, type]) => {
        const member: unknown = Reflect.get(value, name);
        return member === undefined ? [] : [type.write(member)];
      });
      return wrap(sequenceTag, Buffer.concat(encoded));
    },
  };
}

/** SEQUENCE OF. */
export function listOf<T>(type: Type<T>): Type<readonly T[]> {
  return {
    tags: [sequenceTag],
    read: (element) =>
      childrenOf(element).map((child) => {
        if (!fits(type, child)) throw new Asn1Error('an element of a list is of another type');
        return type.read(child);
      }),
    write: (values) => wrap(sequenceTag, Buffer.concat(values.map((one) => type.write(one)))),
  };
}

const setTag = 0x31;

/** SET OF. It is read in the order of its bytes, and written in that of DER (X.690 §11.6). */
export function setOf<T>(type: Type<T>): Type<readonly T[]> {
  return {
    tags: [setTag],
    read: listOf(type).read,
    write: (values) =>
      wrap(setTag, Buffer.concat(values.map((one) => type.write(one)).sort(Buffer.compare))),
  };
}

type Alternatives<M extends Members> = {
  [K in keyof M]: { readonly kind: K; readonly value: ValueOf<M[K]> };
}[keyof M];

/** CHOICE. */
export function choice<M extends Members>(alternatives: M): Type<Alternatives<M>> {
  const entries = Object.entries(alternatives);
  return {
    tags: entries.flatMap(([, type]) => type.tags ?? []),
    read(element) {
      const [kind, type] = entries.find(([, one]) => fits(one, element)) ?? [];
      if (kind === undefined || !type) throw new Asn1Error('there is no such alternative');
      return { kind, value: type.read(element) } as Alternatives<M>;
    },
    write({ kind, value }) {
      const type = alternatives[kind];
      if (!type) throw new Asn1Error('there is no such alternative');
      return type.write(value);
    },
  };
}

/** An explicit tag of the context class. */
export function explicit<T>(number: number, type: Type<T>): Type<T> {
  const tag = contextClass | constructed | number;
  return {
    tags: [tag],
    read(element) {
      const [inner, ...others] = childrenOf(element);
      if (!inner || others.length > 0 || !fits(type, inner))
        throw new Asn1Error(`what is tagged ${number} is of another type`);
      return type.read(inner);
    },
    write: (value) => wrap(tag, type.write(value)),
  };
}

/** An implicit tag of the context class, for a type that has one tag. */
export function implicit<T>(number: number, type: Type<T>): Type<T> {
  const [inner = 0] = type.tags ?? [];
  const tag = contextClass | (inner & constructed) | number;
  return {
    tags: [tag],
    read: ({ content, der }) => type.read({ tag: inner, content, der }),
    write(value) {
      const encoded = type.write(value);
      return Buffer.concat([Buffer.of(tag), encoded.subarray(1)]);
    },
  };
}

function fits({ tags }: Type<unknown>, { tag }: Element): boolean {
  return tags === undefined || tags.includes(tag);
}

function isOptional(type: Type<unknown>): boolean {
  return 'optional' in type;
}
