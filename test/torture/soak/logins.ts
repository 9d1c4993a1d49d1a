import type { HttpsClient } from './https-client.ts';

export interface Login {
  readonly token: string;
  readonly uri: string;
  readonly began: number;
}

/** The session that some clients share: fifty logins at once would measure scrypt alone. */
export class Logins {
  readonly #password: string;
  #login: Promise<Login | undefined> | undefined;

  constructor(password: string) {
    this.#password = password;
  }

  /** @returns undefined while nobody can log in, because something is away */
  async get(client: Pick<HttpsClient, 'ask'>): Promise<Login | undefined> {
    this.#login ??= logIn(client, this.#password);
    const mine = this.#login;
    const login = await mine.catch((error: unknown) => {
      if (this.#login === mine) this.#login = undefined;
      throw error;
    });
    if (!login && this.#login === mine) this.#login = undefined;
    return login;
  }

  async forget(login: Login): Promise<void> {
    const mine = this.#login;
    const now = await mine?.catch(() => undefined);
    if (now === login && this.#login === mine) this.#login = undefined;
  }
}

export async function logIn(
  client: Pick<HttpsClient, 'ask'>,
  password: string,
): Promise<Login | undefined> {
  const began = performance.now();
  const body = { UserName: 'admin', Password: password };
  const { status, headers, text } = await client.ask('/redfish/v1/SessionService/Sessions', {
    method: 'POST',
    body,
  });
  if (status === 503) return undefined;
  const token = headers['x-auth-token'];
  if (status !== 201 || typeof token !== 'string') throw new Error(`login: ${status} ${text}`);
  return { token, uri: headers.location ?? '', began };
}
