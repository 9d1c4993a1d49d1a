import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { temporaryDirectory } from './stack.ts';

/** One page in a Chromium without a window. */
export interface Browser {
  /** Opens an address and waits until everything of the page is loaded. */
  open(url: string): Promise<void>;
  reload(): Promise<void>;
  /**
   * @param expression of the page; when it is a promise, it is waited for
   * @returns its value, as JSON carries it
   * @throws what the page threw
   */
  evaluate<T = unknown>(expression: string): Promise<T>;
  /** Statuses of all answers so far, those that the page may not see too. */
  statuses(): readonly number[];
  /** Ends it and removes everything that it wrote. */
  close(): Promise<void>;
}

const flags = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic'],
  ...['--no-first-run', '--no-proxy-server', '--disable-background-networking', '--disable-sync'],
  ...['--disable-component-update', '--disable-extensions', '--disable-breakpad'],
  ...['--disable-default-apps', '--ignore-certificate-errors', '--remote-debugging-pipe'],
];

/** @param milliseconds that the browser lives; then it is killed and everything asked of it fails */
export async function startChromium(milliseconds = 600_000): Promise<Browser> {
  const home = temporaryDirectory();
  const child = spawn('chromium', [...flags, `--user-data-dir=${home}/data`, 'about:blank'], {
    // A group of its own, so that its helpers end with it
    detached: true,
    env: { ...process.env, HOME: home, TMPDIR: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // all of them have ended
    }
  };
  const timer = setTimeout(kill, milliseconds);
  process.once('exit', kill);
  const close = async () => {
    // It ends its helpers itself when it can
    protocol.send('Browser.close').catch(() => undefined);
    const impatience = setTimeout(kill, 5000);
    await exited;
    for (const one of [timer, impatience]) clearTimeout(one);
    process.removeListener('exit', kill);
    kill();
    // Its helpers may die a moment later and still write
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  };
  const protocol = speak(child.stdio[3], child.stdio[4]);
  child.once('error', protocol.fail);
  child.once('exit', () => protocol.fail(new Error('Chromium has ended')));
  try {
    return { ...(await drive(protocol)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function drive(protocol: Protocol): Promise<Omit<Browser, 'close'>> {
  const { targetInfos } = await protocol.send('Target.getTargets');
  const targetId = targetInfos?.find(({ type }) => type === 'page')?.targetId;
  const { sessionId } = await protocol.send('Target.attachToTarget', { targetId, flatten: true });
  const send = (method: string, params: object = {}) => protocol.send(method, params, sessionId);
  const statuses: number[] = [];
  protocol.on('Network.responseReceivedExtraInfo', ({ statusCode = 0 }) => {
    statuses.push(statusCode);
  });
  for (const domain of ['Page', 'Network']) await send(`${domain}.enable`);
  const load = async (method: string, params: object) => {
    const loaded = protocol.next('Page.loadEventFired');
    // Nobody waits for it where the browser refuses the address
    loaded.catch(() => undefined);
    const { errorText } = await send(method, params);
    if (errorText) throw new Error(`${errorText}: ${JSON.stringify(params)}`);
    await loaded;
  };
  return {
    open: (url) => load('Page.navigate', { url }),
    reload: () => load('Page.reload', {}),
    async evaluate(expression) {
      const text = `(async () => JSON.stringify(await (${expression})) ?? 'null')()`;
      const options = { expression: text, awaitPromise: true, userGesture: true };
      const { result, exceptionDetails: thrown } = await send('Runtime.evaluate', options);
      if (thrown) throw new Error(thrown.exception?.description ?? thrown.text);
      return JSON.parse(result?.value ?? 'null');
    },
    statuses: () => statuses,
  };
}

/** What we read of results and events. */
interface Fields {
  readonly targetInfos?: readonly { readonly type: string; readonly targetId: string }[];
  readonly sessionId?: string;
  readonly errorText?: string;
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: {
    readonly text: string;
    readonly exception?: { readonly description?: string };
  };
  readonly statusCode?: number;
}

interface Message {
  readonly id?: number;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: Fields;
}

type Protocol = ReturnType<typeof speak>;

/** Chrome DevTools Protocol over a pair of pipes: JSON texts, each with a zero byte behind it. */
function speak(input: unknown, output: unknown) {
  if (!(input instanceof Writable) || !(output instanceof Readable)) throw new Error('no pipes');
  const asked = new Map<number, { resolve(value: Fields): void; reject(error: Error): void }>();
  const listeners = new Map<string, (params: Fields) => void>();
  let failure: Error | undefined;
  let count = 0;
  let received = '';
  const receive = ({ id, result = {}, error, method = '', params = {} }: Message) => {
    if (id === undefined) return listeners.get(method)?.(params);
    if (error) asked.get(id)?.reject(new Error(error.message));
    else asked.get(id)?.resolve(result);
    asked.delete(id);
  };
  const fail = (error: Error) => {
    failure ??= error;
    for (const { reject } of asked.values()) reject(failure);
    asked.clear();
  };
  input.on('error', fail);
  output.setEncoding('utf8').on('data', (chunk) => {
    const texts = (received + chunk).split('\0');
    received = texts.pop() ?? '';
    for (const text of texts) receive(JSON.parse(text));
  });
  return {
    fail,
    on: (method: string, tell: (params: Fields) => void) => listeners.set(method, tell),
    next: (method: string) =>
      new Promise<Fields>((resolve, reject) => {
        count += 1;
        asked.set(count, { resolve, reject });
        listeners.set(method, resolve);
      }),
    send(method: string, params: object = {}, sessionId?: string): Promise<Fields> {
      return new Promise((resolve, reject) => {
        if (failure) return reject(failure);
        count += 1;
        asked.set(count, { resolve, reject });
        input.write(`${JSON.stringify({ id: count, method, params, sessionId })}\0`);
      });
    },
  };
}
