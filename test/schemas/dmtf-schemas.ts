import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { readCsdlDefinition } from './csdl-definitions.ts';

/** DMTF's JSON Schemas, each read when the first answer needs it. */
export interface DmtfSchemas {
  /**
   * The check of one definition of one file, such as `Role.v1_3_3` and `Role`.
   * @throws when the bundle has no such file or definition
   */
  check(file: string, definition: string): ValidateFunction;
  /** The newest file of a schema, such as `Role.v1_3_3` of `Role`. */
  newest(name: string): string;
}

interface Definition {
  readonly anyOf?: readonly Definition[];
  readonly properties?: Readonly<Record<string, unknown>>;
}

type Definitions = Readonly<Record<string, Definition>>;

export function readDmtfSchemas(folders: { json: string; csdl: string }): DmtfSchemas {
  const files = readdirSync(folders.json).map((name) => name.replace(/\.json$/, ''));
  const contents = new Map<string, Definitions>();
  const checks = new Map<string, ValidateFunction>();
  const ajv = new Ajv({
    strict: false,
    validateSchema: false,
    allErrors: true,
    formats: { 'date-time': isDateTime, 'uri-reference': isReference, uri: isUri },
  });

  function newest(name: string): string {
    const versions = files.filter((file) => file === name || file.startsWith(`${name}.v`));
    const last = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
    if (last === undefined) throw new Error(`the bundle has no schema ${name}`);
    return last;
  }

  function definitionOf(file: string, name: string): Definition {
    if (!files.includes(file)) throw new Error(`the bundle has no schema ${file}`);
    const known = contents.get(file) ?? readDefinitions(folders.json, file);
    contents.set(file, known);
    const definition = known[name] ?? readCsdlDefinition(folders.csdl, baseName(file), name);
    if (!definition) throw new Error(`the schema ${file} defines no ${name}`);
    return definition;
  }

  /** Whether a definition is a resource; one of Swordfish's, which are not in the bundle, is. */
  function isLink(name: string, definition: string): boolean {
    if (name !== definition) return false;
    const isThere = files.some((file) => baseName(file) === name);
    return !isThere || isResource(definitionOf(newest(name), definition));
  }

  /** One schema with every definition that this one needs, and references within it alone. */
  function gather(file: string, name: string): object {
    const definitions: Record<string, object> = { link: linkOrExpanded };
    const visit = (from: string, wanted: string): string => {
      const key = `${from}:${wanted}`;
      if (!(key in definitions)) {
        definitions[key] = {};
        definitions[key] = redirect(definitionOf(from, wanted), (reference) => {
          const [, other, inner = ''] =
            /([^/]+?)?(?:\.json)?#\/definitions\/(.+)$/.exec(reference) ?? [];
          if (other === undefined) return visit(from, inner);
          return isLink(other, inner) ? 'link' : visit(newest(other), inner);
        });
      }
      return key;
    };
    return { $ref: `#/definitions/${visit(file, name)}`, definitions };
  }

  return {
    newest,
    check(file, definition) {
      const key = `${file}:${definition}`;
      const check = checks.get(key) ?? ajv.compile(gather(file, definition));
      checks.set(key, check);
      return check;
    },
  };
}

function readDefinitions(folder: string, file: string): Definitions {
  return JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')).definitions;
}

function baseName(file: string): string {
  return file.replace(/\.v\d+_\d+_\d+$/, '');
}

/**
 * What a schema says of a resource in another one. An expanded resource is checked as a resource of
 * its own, so that the schema of the service root does not draw in every other one.
 */
const linkOrExpanded = {
  anyOf: [
    {
      type: 'object',
      properties: { '@odata.id': { type: 'string', format: 'uri-reference' } },
      required: ['@odata.id'],
      additionalProperties: false,
    },
    { type: 'object', required: ['@odata.id', '@odata.type', 'Name'] },
  ],
};

/** The same schema with other references. */
function redirect(schema: object, find: (reference: string) => string): object {
  const copy = JSON.stringify(schema, (name, value) =>
    name === '$ref' && typeof value === 'string' ? `#/definitions/${find(value)}` : value,
  );
  return JSON.parse(copy);
}

function isResource({ properties = {}, anyOf = [] }: Definition): boolean {
  return '@odata.id' in properties || anyOf.some(isResource);
}

function isDateTime(text: string): boolean {
  const shape = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
  return shape.test(text) && !Number.isNaN(Date.parse(text));
}

function isReference(text: string): boolean {
  return !/\s/.test(text) && URL.canParse(text, 'https://host/');
}

function isUri(text: string): boolean {
  return !/\s/.test(text) && URL.canParse(text);
}
