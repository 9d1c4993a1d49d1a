import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv, type ErrorObject } from 'ajv';
import fc from 'fast-check';
import { checkedSchema, readSchemas } from '../../scripts/build.mjs';
import { type Problem, type Schema, validator } from '../../src/core/validation.ts';

/** ajv, which implements JSON Schema for everybody, is what ours is held against. */
const schemas = await readSchemas();
const ajv = new Ajv({ allErrors: true, useDefaults: true, strict: true });
ajv.addVocabulary(['restart']);
ajv.addSchema(schemas);

describe('a validator of ours', () => {
  for (const schema of schemas) {
    const ours = checkedSchema(schema, schema, schemas);
    const validate = validator(() => ours);
    const theirs = ajv.getSchema(schema.$id);

    it(`finds in ${schema.title} what ajv finds, and fills in the same`, () => {
      const check = (document: unknown) => {
        const copy = structuredClone(document);
        const result = validate(document);
        assert.ok(theirs);
        theirs(copy);
        assert.deepEqual(result.ok ? [] : result.problems, (theirs.errors ?? []).map(asProblem));
        assert.deepEqual(document, copy);
      };
      fc.assert(fc.property(documentsOf(ours), check), { numRuns: 300 });
    });
  }

  it('is not made of a keyword that it would not check', () => {
    const schema = { title: 'Colours', type: 'array', uniqueItems: true };
    assert.throws(() => checkedSchema(schema, schema, []), /Colours: .* does not know uniqueItems/);
  });
});

function asProblem({ instancePath, keyword, message = '', params }: ErrorObject): Problem {
  const path = (name: unknown) => `${instancePath}/${String(name)}`;
  switch (keyword) {
    case 'required':
      return { path: path(params.missingProperty), kind: 'missing', text: 'is required' };
    case 'additionalProperties':
      return { path: path(params.additionalProperty), kind: 'unknown', text: 'is not known' };
    case 'type':
      return { path: instancePath, kind: 'type', text: message };
    case 'enum': {
      const text = `must be one of ${params.allowedValues.join(', ')}`;
      return { path: instancePath, kind: 'not-listed', text };
    }
    default:
      return { path: instancePath, kind: 'format', text: message };
  }
}

const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown[]>(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 40,
    '',
    'https',
    [],
    [0, ''],
    {},
    { '~/': 1 },
  ),
  fc.string({ unit: 'binary' }),
);

/** Documents that a schema takes for the most part, with some values anywhere that it may not take. */
function documentsOf(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof(
    { arbitrary: goodDocuments(schema), weight: 12 },
    { arbitrary: anything, weight: 1 },
  );
}

function goodDocuments(schema: Schema): fc.Arbitrary<unknown> {
  const { items, properties, additionalProperties: others } = schema;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  const [type] = [schema.type ?? []].flat();
  if (properties || typeof others === 'object') {
    const members = Object.entries(properties ?? {}).map(
      ([name, one]) => [name, documentsOf(one)] as const,
    );
    const required = schema.required ?? [];
    const known = fc.record(Object.fromEntries(members), {
      requiredKeys: Object.keys(properties ?? {}).filter((name) => required.includes(name)),
    });
    const added = typeof others === 'object' ? documentsOf(others) : anything;
    const names = fc.constantFrom('other', 'a/b~c', 'toString', 'https');
    const further = fc.dictionary(names, added, { maxKeys: 3 });
    const weight = typeof others === 'object' ? 1 : 9;
    const beside = fc.oneof(
      { arbitrary: fc.constant({}), weight },
      { arbitrary: further, weight: 1 },
    );
    return fc.tuple(known, beside).map(([one, other]) => ({ ...other, ...one }));
  }
  if (items) return fc.array(documentsOf(items), { maxLength: 3 });
  if (type === 'string' && schema.pattern !== undefined) {
    return fc.stringMatching(new RegExp(schema.pattern.replace(/\\p\{.\}/g, '\\w')));
  }
  if (type === 'string') {
    const { minLength = 0, maxLength = 40 } = schema;
    return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength + 1, 200) });
  }
  if (type === 'boolean') return fc.boolean();
  const { minimum = 0, maximum = 100 } = schema;
  if (type === 'integer')
    return fc.integer({
      min: Math.max(minimum - 1, -(2 ** 31)),
      max: Math.min(maximum + 1, 2 ** 31 - 1),
    });
  return anything;
}
