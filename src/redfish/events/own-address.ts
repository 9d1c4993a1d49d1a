import { createSocket } from 'node:dgram';
import { BlockList, isIPv6 } from 'node:net';

/**
 * Whether an IP address is one of this machine now: then the system would send from that very address.
 * Nothing is sent. The list of interfaces would lack those without a carrier, whose addresses can be
 * reached all the same, and reading it takes AF_NETLINK, which the unit forbids.
 */
export function isOwnAddress(address: string): Promise<boolean> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const end = (isOwn: boolean) => {
      socket.close();
      resolve(isOwn);
    };
    socket.once('connect', () => end(isSame(socket.address().address, address)));
    // No way leads there, and none of TCP either
    socket.once('error', () => end(false));
    socket.connect(discardPort, address);
  });
}

const discardPort = 9;

/** In whichever notation. */
function isSame(one: string, other: string): boolean {
  const [plain = ''] = one.split('%');
  const list = new BlockList();
  list.addAddress(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  return list.check(other.split('%')[0] ?? '', isIPv6(other) ? 'ipv6' : 'ipv4');
}
