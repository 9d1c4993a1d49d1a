import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clone } from '../e2e/stack.ts';

/** A result that is no pass. */
export interface Finding {
  readonly result: string;
  /** The assertion or the property. */
  readonly what: string;
  readonly says: string;
}

interface Explanation extends Finding {
  readonly tool: string;
}

/** The rows of docs/conformance.md: tool, result, what, a part of what it says, and why that is right. */
function readExplanations(): Explanation[] {
  const lines = readFileSync(join(clone, 'docs', 'conformance.md'), 'utf8').split('\n');
  return lines
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter(([, tool = '', , , , why]) => /^(RSV|RPV|UCC)$/.test(tool) && why)
    .map(([, tool = '', result = '', what = '', says = '']) => ({ tool, result, what, says }));
}

/** The findings of a tool that docs/conformance.md does not explain, each as one line. */
export function unexplained(tool: string, findings: readonly Finding[]): string[] {
  const rows = readExplanations().filter((row) => row.tool === tool);
  return findings
    .filter((found) => !rows.some((row) => explains(row, found)))
    .map(({ result, what, says }) => `${result} ${what}: ${says}`);
}

function explains(row: Explanation, found: Finding): boolean {
  const isThat = row.result === found.result && isNamed(row.what, found.what);
  return isThat && found.says.includes(row.says);
}

/** `*` stands for one segment of the path of a property. */
function isNamed(pattern: string, what: string): boolean {
  const segments = what.split('/');
  const wanted = pattern.split('/');
  const isSame = (one: string, index: number) => one === '*' || one === segments[index];
  return wanted.length === segments.length && wanted.every(isSame);
}
