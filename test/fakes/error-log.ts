import { connectBus } from '../../src/dbus/transport/bus.ts';
import { requestName } from './fake-systemd.ts';

/** phosphor-logging on a private bus, which keeps what it is asked to log. */
export interface FakeErrorLog {
  /** The message, the severity and the additional data of each entry, in order. */
  readonly entries: readonly (readonly [string, string, Readonly<Record<string, string>>])[];
  /** Answers calls with an error from now on. */
  refuse(): void;
  /** Gives up its name as a crash does. */
  leave(): void;
}

export async function startFakeErrorLog(address: string): Promise<FakeErrorLog> {
  const bus = await connectBus(address);
  const entries: [string, string, Record<string, string>][] = [];
  let isRefusing = false;
  bus.handleCalls((call) => {
    const { path, interface: name, member, signature, body } = call;
    const target = [path, `${name}.${member}`, signature].join(' ');
    const wanted = '/xyz/openbmc_project/logging xyz.openbmc_project.Logging.Create.Create ssa{ss}';
    if (target !== wanted || isRefusing) {
      const text = `no entry for ${target}`;
      call.fail({ name: 'xyz.openbmc_project.Common.Error.NotAllowed', text });
      return undefined;
    }
    const [message, severity, data] = body;
    entries.push([String(message), String(severity), Object(data)]);
    call.answer('o', [`/xyz/openbmc_project/logging/entry/${entries.length}`]);
    return undefined;
  });
  await requestName(bus, 'xyz.openbmc_project.Logging');
  return {
    entries,
    refuse() {
      isRefusing = true;
    },
    leave: () => bus.close(),
  };
}
