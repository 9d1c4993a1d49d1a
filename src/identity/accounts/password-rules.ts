export interface PasswordRules {
  /** In characters. */
  readonly minLength: number;
  readonly maxLength: number;
}

/** Those that every list of guesses begins with, without what is shorter than any minimum. */
const worst = [
  '0penbmc0',
  '0penbmc1',
  '12341234',
  '12345678',
  '123456789',
  '1234567890',
  '123123123',
  '1q2w3e4r',
  '1qaz2wsx',
  '87654321',
  'abcd1234',
  'admin123',
  'admin1234',
  'administrator',
  'baseball',
  'calvin123',
  'changeit',
  'changeme',
  'default1',
  'iloveyou',
  'letmein1',
  'openbmc1',
  'p@ssw0rd',
  'passw0rd',
  'password',
  'password1',
  'password123',
  'qwertyui',
  'qwerty123',
  'qwertyuiop',
  'superuser',
  'welcome1',
];

/** Why a password is refused, as a sentence without it; `undefined` when it may be used. */
export function passwordFault(
  password: string,
  userName: string,
  { minLength, maxLength }: PasswordRules,
): string | undefined {
  const characters = [...password];
  const lower = password.toLowerCase();
  const name = userName.toLowerCase();
  if (characters.length < minLength) return `A password has at least ${minLength} characters`;
  if (characters.length > maxLength) return `A password has at most ${maxLength} characters`;
  // Half of a surrogate pair: all become the same character in UTF-8, and one would pass for the other
  if (/\p{Cs}/u.test(password)) return 'A password is of whole characters';
  if (/\p{Cc}/u.test(password)) return 'A password has no control characters';
  if (lower === name || lower === [...name].reverse().join('')) {
    return 'A password is not the name of its user';
  }
  if (new Set(characters).size === 1 || worst.includes(lower)) {
    return 'This password is among the first that are guessed';
  }
  return undefined;
}
