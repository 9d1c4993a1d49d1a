/** Names that are URIs of their own below the collection of accounts. */
const reserved = ['members'];

/**
 * Why a name is refused, as a sentence; `undefined` when it may be used. What is left is safe in a URI,
 * in a line of a log and as a user of the system.
 */
export function userNameFault(userName: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,31}$/.test(userName) || userName.endsWith('.')) {
    return 'A name begins with a letter and has at most 32 letters, digits, ".", "_" and "-"';
  }
  if (reserved.includes(userName.toLowerCase())) return 'This name is reserved';
  return undefined;
}
