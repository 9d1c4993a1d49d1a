import type { Schema } from '../src/core/validation.ts';

/** A JSON Schema as it is written. */
export interface SchemaDocument {
  readonly $id: string;
  readonly title: string;
}

export function readSchemas(): Promise<readonly SchemaDocument[]>;

export function checkedSchema(
  schema: object,
  document: object,
  schemas: readonly SchemaDocument[],
): Schema;
