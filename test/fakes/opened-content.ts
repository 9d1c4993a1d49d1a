import { type Content, openContent } from '../../src/x509/containers.ts';

/** What is in a file, as one text in PEM. */
export function toPem(content: Content): string {
  return openContent(content)
    .map(({ text }) => text)
    .join('');
}
