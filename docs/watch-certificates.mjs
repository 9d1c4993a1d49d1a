// Prints a line for each certificate that comes, changes or goes:
//   node docs/watch-certificates.mjs unix:path=/…/bus      (without an address: the system bus)
import dbus from 'dbus-next';

const address = process.argv[2];
const bus = address ? dbus.sessionBus({ busAddress: address }) : dbus.systemBus();
bus.on('message', ({ type, member, path, body }) => {
  if (type !== dbus.MessageType.SIGNAL || !path?.startsWith('/xyz/openbmc_project/certs')) return;
  console.log(member, member === 'PropertiesChanged' ? path : body[0], Object.keys(body[1]).join());
});
const daemon = { destination: 'org.freedesktop.DBus', path: '/', interface: 'org.freedesktop.DBus' };
const body = ["type='signal',path_namespace='/xyz/openbmc_project/certs'"];
await bus.call(new dbus.Message({ ...daemon, member: 'AddMatch', signature: 's', body }));
