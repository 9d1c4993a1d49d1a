import { type Content, type OpenContent, openContent } from '../../src/x509/containers.ts';
import { usualLimits } from '../../src/x509/limits.ts';

/** What is in a file, as one text in PEM; it may take as many rounds as there may be. */
export function toPem(content: Content): string {
  return openContent(content, usualLimits, usualLimits.derivationRounds)
    .map(({ text }) => text)
    .join('');
}

/** Opens in this process what is quick, and nothing else. */
export const openQuickly: OpenContent = (content, limits) => openContent(content, limits);
