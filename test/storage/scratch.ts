import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach } from 'node:test';

/** An empty directory for each test of the file that calls this. @returns its path, while a test runs */
export function scratchDirectory(): () => string {
  const root = mkdtempSync(join(tmpdir(), 'durable-'));
  let directory = root;
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'case-'));
  });
  after(() => rmSync(root, { recursive: true }));
  return () => directory;
}
