import { type Background, background, maxMilliseconds, must, run, until } from '../e2e/commands.ts';

/** Clients of a bus that share no code with ours: busctl (sd-bus), dbus-send (libdbus), gdbus (GLib). */
export interface BusTools {
  /** What `busctl call` answers: the decoded values of the reply. @throws when it is an error */
  call(path: string, method: string, signature?: string, ...args: string[]): Promise<Values>;
  /** The error name and text that dbus-send gets. @throws when the call succeeds */
  refusal(path: string, method: string, ...args: string[]): Promise<string>;
  busctl(...args: string[]): Promise<string>;
  introspect(path: string): Promise<string>;
}

/** Values as busctl writes them in JSON, dug into by position and name. */
export interface Values {
  readonly [name: string]: Values;
}

export interface ToolOptions {
  readonly address: string;
  /** The name that calls go to. */
  readonly destination: string;
  /** A program in front of each tool, such as setpriv with its options. */
  readonly as?: readonly string[];
}

export function busTools({ address, destination, as = [] }: ToolOptions): BusTools {
  const command = (...words: string[]): readonly [string, string[]] => {
    const [program = '', ...args] = [...as, ...words];
    return [program, args];
  };
  // On a busy machine an answer may take longer than these programs wait by themselves
  const patience = `--timeout=${maxMilliseconds / 1000}`;
  const busctl = (...args: string[]) =>
    must(...command('busctl', `--address=${address}`, patience, ...args));
  return {
    busctl,
    async call(path, method, signature, ...args) {
      const [interfaceName, member] = splitMethod(method);
      const tail = signature === undefined ? [] : [signature, '--', ...args];
      const target = [destination, path, interfaceName, member];
      const text = await busctl('--json=short', 'call', ...target, ...tail);
      return text.trim() === '' ? {} : JSON.parse(text).data;
    },
    async refusal(path, method, ...args) {
      const head = [`--dest=${destination}`, `--reply-timeout=${maxMilliseconds}`, '--print-reply'];
      const target = [...head, path, method, ...args];
      const { status, stdout, stderr } = await run(
        ...command('dbus-send', `--bus=${address}`, ...target),
      );
      if (status === 0) throw new Error(`${method} succeeded: ${stdout}`);
      return stderr.trim().replace(/^Error /, '');
    },
    async introspect(path) {
      const target = ['--dest', destination, '--object-path', path, '--xml'];
      return must(...command('gdbus', 'introspect', '--address', address, ...target));
    },
  };
}

/** A message as `busctl monitor` shows it. */
export interface SeenMessage {
  readonly type: string;
  readonly flags: number;
  readonly cookie: number;
  readonly reply_cookie?: number;
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly sender?: string;
  readonly error_name?: string;
  readonly payload: { readonly data?: Values };
}

/** A monitor of everything on the bus, in the order in which the daemon passed it on. */
export class BusMonitor {
  readonly #address: string;
  readonly #program: Background;
  #fences = 0;

  private constructor(address: string) {
    this.#address = address;
    this.#program = background('busctl', [`--address=${address}`, '--json=short', 'monitor']);
  }

  static async start(address: string): Promise<BusMonitor> {
    const monitor = new BusMonitor(address);
    await until('the monitor watches', () => monitor.#program.output().includes('Monitoring'));
    return monitor;
  }

  /** Every message until now: a signal is sent, and what came before it is complete when it is seen. */
  async messages(): Promise<readonly SeenMessage[]> {
    this.#fences += 1;
    const fence = `fence${this.#fences}`;
    await must('dbus-send', [`--bus=${this.#address}`, '/', `test.Fence.${fence}`]);
    await until('the fence is seen', () => this.#parse().some(({ member }) => member === fence));
    return this.#parse().filter((message) => message.interface !== 'test.Fence');
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }

  #parse(): SeenMessage[] {
    const lines = this.#program.output().split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  }
}

function splitMethod(method: string): readonly [string, string] {
  const dot = method.lastIndexOf('.');
  return [method.slice(0, dot), method.slice(dot + 1)];
}
