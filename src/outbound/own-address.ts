import { createSocket } from 'node:dgram';
import { BlockList, isIPv6 } from 'node:net';
import { codeOf } from '../storage/io-errors.ts';
import { RequestDeferred } from './request-deferred.ts';

/**
 * Whether an IP address is one of this machine now: then the system would send from that very address.
 * Nothing is sent. The list of interfaces would lack those without a carrier, whose addresses can be
 * reached all the same, and reading it takes AF_NETLINK, which the unit forbids.
 * @throws RequestDeferred when the system does not tell, as for want of descriptors: it may be one
 */
export function isOwnAddress(address: string): Promise<boolean> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    socket.once('connect', () => {
      resolve(isSame(socket.address().address, address));
      socket.close();
    });
    socket.once('error', (cause) => {
      if (noWay.includes(codeOf(cause))) resolve(false);
      else reject(new RequestDeferred('its address cannot be checked now', { cause }));
      socket.close();
    });
    socket.connect(discardPort, address);
  });
}

/** Whether this machine can send from an address now: all of its loopback network counts, too. */
export function canSendFrom(address: string): Promise<boolean> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const answer = (isOwn: boolean) => {
      resolve(isOwn);
      socket.close();
    };
    socket.once('listening', () => answer(true));
    socket.once('error', () => answer(false));
    socket.bind({ address, port: 0 });
  });
}

const discardPort = 9;

/** No way leads to an address, and none of TCP either. */
const noWay = [
  'EACCES',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EHOSTUNREACH',
  'EINVAL',
  'ENETDOWN',
  'ENETUNREACH',
];

/** In whichever notation. */
function isSame(one: string, other: string): boolean {
  const [plain = ''] = one.split('%');
  const list = new BlockList();
  list.addAddress(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  return list.check(other.split('%')[0] ?? '', isIPv6(other) ? 'ipv6' : 'ipv4');
}
