import {
  create,
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';

export interface ClientOptions {
  readonly port: number;
  /** PEM of what the client trusts. */
  readonly trusts: string;
  readonly shows?: { readonly key: string; readonly pem: string };
  readonly user?: string;
  readonly password?: string;
}

/** One message after the other, and the status at the end. */
export interface OpenStream<I, O> {
  send(message: I): void;
  /** Sends, and waits for the answer. @throws ServiceError where the call ends instead */
  ask(message: I): Promise<O>;
  halfClose(): void;
  cancel(): void;
  readonly status: Promise<StatusObject>;
}

/** A client of the gNOI service with a connection of its own. */
export class GnoiClient {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor({ port, trusts, shows, user = 'admin', password = 'right password' }: ClientOptions) {
    const [key, chain] = shows ? [Buffer.from(shows.key), Buffer.from(shows.pem)] : [null, null];
    const tls = credentials.createSsl(Buffer.from(trusts), key, chain);
    this.#client = new Client(`127.0.0.1:${port}`, tls, {
      // A pool of its own: another client must not lend its connection
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.ssl_target_name_override': 'localhost',
      'grpc.default_authority': 'localhost',
    });
    if (user !== '') this.#metadata.set('username', user);
    if (password !== '') this.#metadata.set('password', password);
  }

  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        pathOf(method),
        (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, request),
        this.#metadata,
        (error: ServiceError | null, reply?: MessageShape<O>) => {
          if (reply) resolve(reply);
          else reject(error);
        },
      );
    });
  }

  open<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): OpenStream<MessageInitShape<I>, MessageShape<O>> {
    const call = this.#client.makeBidiStreamRequest(
      pathOf(method),
      (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      this.#metadata,
    );
    const status = new Promise<StatusObject>((resolve) => call.on('status', resolve));
    call.on('error', () => undefined);
    const send = (message: MessageInitShape<I>) => void call.write(create(method.input, message));
    return {
      status,
      send,
      ask(message) {
        const answer = new Promise<MessageShape<O>>((resolve, reject) => {
          call.once('data', resolve);
          void status.then((end) => reject(Object.assign(new Error(end.details), end)));
        });
        send(message);
        return answer;
      },
      halfClose: () => call.end(),
      cancel: () => call.cancel(),
    };
  }

  close(): void {
    this.#client.close();
  }
}

function pathOf({ parent, name }: DescMethodUnary | DescMethodBiDiStreaming): string {
  return `/${parent.typeName}/${name}`;
}
