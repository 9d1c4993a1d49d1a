/** The TypeScript value of each type of field. */
interface FieldTypes {
  text: string;
  number: number;
  flag: boolean;
  texts: readonly string[];
  /** ISO 8601 in JSON and on the terminal. */
  time: Date;
}

type Tone = 'good' | 'warning' | 'bad';

/** A member of what a command answers: `--json` has all of them, under their names and always in this form. */
export interface Field {
  readonly type: keyof FieldTypes | 'rows';
  readonly about: string;
  /** The title of its column, or its label; a field without is in JSON alone. */
  readonly title?: string;
  /** It may be `null` in JSON and `-` on a terminal. */
  readonly optional?: true;
  /** Colours for some values on a terminal. */
  readonly tones?: Readonly<Record<string, Tone>>;
  /** Members of each of `rows`. */
  readonly fields?: Fields;
}

export type Fields = Readonly<Record<string, Field>>;

type Value<F extends Field> = F extends { readonly type: 'rows'; readonly fields: infer N }
  ? N extends Fields
    ? readonly Row<N>[]
    : never
  : F['type'] extends keyof FieldTypes
    ? FieldTypes[F['type']]
    : never;

/** What a command answers with, after the declaration of its fields. */
export type Row<F extends Fields> = {
  readonly [K in keyof F]: Value<F[K]> | (F[K] extends { readonly optional: true } ? null : never);
};

/** Fields of a row that may be without all of them. */
export function optional<const F extends Fields>(
  fields: F,
): { readonly [K in keyof F]: F[K] & { readonly optional: true } } {
  const entries = Object.entries(fields).map(([name, field]) => [
    name,
    { ...field, optional: true },
  ]);
  return Object.fromEntries(entries);
}

/** Any row, where its declaration is not known to the compiler. */
export type AnyRow = Readonly<Record<string, unknown>>;

const colours: Readonly<Record<Tone, string>> = { good: '32', warning: '33', bad: '31' };

/** One line for each row, under the titles of the columns. */
export function tableText(fields: Fields, rows: readonly AnyRow[], isColoured: boolean): string {
  const columns = Object.entries(fields).filter(([, { title }]) => title !== undefined);
  const titles = columns.map(([, { title = '' }]) => ({ text: title.toUpperCase(), code: '1' }));
  const lines = rows.map((row) => columns.map(([name, field]) => cellOf(field, row[name])));
  return aligned([titles, ...lines], isColoured);
}

/** One line for each field of a row that has a value, behind its label. */
export function recordText(fields: Fields, row: AnyRow, isColoured: boolean): string {
  const lines = Object.entries(fields).flatMap(([name, field]) => {
    if (field.title === undefined || plainText(row[name]) === '') return [];
    return [[{ text: field.title, code: '1' }, cellOf(field, row[name])]];
  });
  return aligned(lines, isColoured);
}

/** The form of a row in JSON: times in ISO 8601. It may be read on a terminal, too. */
export function jsonText(answer: AnyRow | readonly AnyRow[], indent?: number): string {
  return `${JSON.stringify(answer, null, indent).replace(hiddenInJson, escaped)}\n`;
}

/** What `visible` hides and JSON lets stand, such as U+009B, which begins a control sequence as ESC [ does. */
const hiddenInJson = /[\u007f-\u009f\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

interface Cell {
  readonly text: string;
  readonly code?: string;
}

function cellOf(field: Field, value: unknown): Cell {
  const text = plainText(value);
  const tone = field.tones?.[text];
  return { text: text === '' ? '-' : text, ...(tone && { code: colours[tone] }) };
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (Array.isArray(value)) return value.map((one) => visible(String(one))).join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return visible(String(value));
}

/** Names in certificates are chosen by strangers: no control sequence of theirs reaches a terminal. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu, '?');
}

function aligned(lines: readonly (readonly Cell[])[], isColoured: boolean): string {
  const widthOf = (at: number) => Math.max(...lines.map((cells) => lengthOf(cells[at])));
  const widths = (lines[0] ?? []).map((_cell, at) => widthOf(at));
  return lines
    .map((cells) => {
      const parts = cells.map((cell, at) => {
        const isLast = at === cells.length - 1;
        const padding = isLast ? '' : ' '.repeat((widths[at] ?? 0) - lengthOf(cell));
        return `${isColoured && cell.code ? `\u001b[${cell.code}m${cell.text}\u001b[0m` : cell.text}${padding}`;
      });
      return `${parts.join('  ')}\n`;
    })
    .join('');
}

function lengthOf(cell: Cell | undefined): number {
  return [...(cell?.text ?? '')].length;
}
