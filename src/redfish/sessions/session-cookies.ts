/** Names that tools for OpenBMC's web server know. */
const sessionCookie = 'BMCWEB-SESSION';
const xsrfCookie = 'XSRF-TOKEN';
const attributes = 'Path=/; SameSite=Strict; Secure';

/** Set-Cookie for a session of a browser: its scripts read the second one and repeat it in a header. */
export function sessionCookies(token: string, xsrfToken: string): readonly string[] {
  return [
    `${xsrfCookie}=${xsrfToken}; ${attributes}`,
    `${sessionCookie}=${token}; ${attributes}; HttpOnly`,
  ];
}

/** Set-Cookie that makes a browser forget both. */
export const clearedCookies: readonly string[] = [
  `${xsrfCookie}=; ${attributes}; Max-Age=0`,
  `${sessionCookie}=; ${attributes}; HttpOnly; Max-Age=0`,
];

/** The token in a Cookie header. */
export function cookieToken(header: string | undefined): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [name = '', value = ''] = pair.trim().split('=', 2);
    if (name === sessionCookie && value !== '') return value;
  }
  return undefined;
}
