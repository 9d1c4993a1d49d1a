/** Names of files and directories with the random and counting parts left out, to find what is left over. */
function plainName(path: string): string {
  return path
    .replace(/[0-9a-f]{64}/g, 'ID')
    .replace(/generations\/\d+/g, 'generations/N')
    .replace(/\b\d+\.pem$/, 'N.pem')
    .replace(/\b[0-9a-f]{8}\.\d+$/, 'HASH');
}

export function plainNames(paths: Iterable<string>): readonly string[] {
  return [...new Set([...paths].map(plainName))].sort();
}
