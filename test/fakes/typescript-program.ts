import { fileURLToPath } from 'node:url';

const loader = new URL('../../scripts/typescript.mjs', import.meta.url).href;

/** Path of a source, in quotes, for the imports of such a program. */
export function quotedSource(path: string): string {
  return JSON.stringify(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)));
}

/** The command of a program of its own whose text is an ES module that may import our sources. */
export function typescriptProgram(text: string): readonly [string, ...string[]] {
  return [process.execPath, '--import', loader, '--input-type=module', '-e', text];
}
