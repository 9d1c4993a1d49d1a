import type { Fault, Validator } from '../../schemas/generated/validators.js';

/** One thing in a document that its schema forbids. Values are never quoted: they may be secrets. */
export interface Problem {
  /** JSON pointer of the member, empty for the whole document. */
  readonly path: string;
  readonly kind: 'missing' | 'unknown' | 'type' | 'not-listed' | 'format';
  readonly text: string;
  /** With `unknown`: the members that there are at the place. */
  readonly known?: readonly string[];
}

export type Validation<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks a value that came from outside; members with a default are filled in. */
export function validate<T>(validator: Validator<T>, value: unknown): Validation<T> {
  if (validator(value)) return { ok: true, value };
  return { ok: false, problems: (validator.errors ?? []).map(asProblem) };
}

function asProblem({ instancePath, keyword, message, params }: Fault): Problem {
  const member = (name: unknown) => `${instancePath}/${String(name)}`;
  switch (keyword) {
    case 'required':
      return { path: member(params.missingProperty), kind: 'missing', text: 'is required' };
    case 'additionalProperties':
      return {
        path: member(params.additionalProperty),
        kind: 'unknown',
        text: 'is not known',
        known: namesOf(params.known),
      };
    case 'type':
      return { path: instancePath, kind: 'type', text: message ?? 'has the wrong type' };
    case 'enum':
      return { path: instancePath, kind: 'not-listed', text: `must be one of ${list(params)}` };
    default:
      return { path: instancePath, kind: 'format', text: message ?? `breaks the rule ${keyword}` };
  }
}

function namesOf(known: unknown): readonly string[] {
  return Array.isArray(known) ? known.map(String) : [];
}

function list({ allowedValues }: Record<string, unknown>): string {
  return Array.isArray(allowedValues) ? allowedValues.join(', ') : 'the listed values';
}
