import { blocksOf } from './blocks.ts';

/** A page of docs/how-to/ whose commands run on a device. */
interface HowToPage {
  readonly name: string;
  /** What the operator types after the password. */
  readonly typed?: readonly string[];
  /** Commands that come before those of a heading: what the page is read for. */
  readonly happens?: Readonly<Record<string, string>>;
  /** What commands under a heading print. */
  readonly prints: Readonly<Record<string, RegExp>>;
}

/** Removes what a backup has. */
const loss = `
systemctl stop bmc-redfish bmc-certificate-manager
rm -r /etc/bmc-certificate-manager /etc/ssl/certs/https /etc/nslcd/certs /etc/ssl/certs/authority* \\
  /var/lib/bmc-certificate-manager
`;
/** A CA and a pending CSR. */
const cas = `
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out one.pem -subj '/CN=CA of the backup'
bmc-certs trust add one.pem
bmc-certs csr client/ldap --common-name pending >/dev/null
`;
/** A version after the one that is installed. */
const newVersion = `
cd /src/release
dpkg-deb --raw-extract bmc-certificate-manager_*_all.deb new
rm bmc-certificate-manager_*_all.deb
sed -i 's/^Version: .*/Version: 99/' new/DEBIAN/control
dpkg-deb --build new bmc-certificate-manager_99_all.deb
cd -
`;
/** What stands for an OpenBMC image: a bmcweb with a user of its own that shows its certificate, and upstream's managers. */
const openBmc = `
useradd --system --user-group bmcweb
cat >/etc/systemd/system/bmcweb.service <<'END'
[Unit]
StartLimitIntervalSec=0
[Service]
User=bmcweb
AmbientCapabilities=CAP_NET_BIND_SERVICE
ExecStart=/usr/bin/openssl s_server -accept 443 -www -cert /etc/ssl/certs/https/server.pem -key /etc/ssl/certs/https/server.pem
Restart=always
RestartSec=1
END
cat >/etc/systemd/system/phosphor-certificate-manager@.service <<'END'
[Service]
ExecStart=/usr/bin/sleep infinity
END
systemctl daemon-reload
systemctl start bmcweb phosphor-certificate-manager@bmcweb
`;
/** `set-password` ends the sessions. */
const login = blocksOf('README').at(-1)?.text ?? '';

export const howToPages: readonly HowToPage[] = [
  {
    name: 'renew',
    prints: {
      'See what ends': /server\/https/,
      'Request the first certificate of a CA': /verify OK[\s\S]*Verified peername: localhost/,
      'Request the successor': /"Health": "OK"/,
    },
  },
  {
    name: 'trust',
    prints: {
      'Install it': /peer\.pem: OK[\s\S]*"CN=The second CA"/,
      'Exchange all of them at once': /The first CA[\s\S]*The second CA/,
      'Revoke a certificate, or a CA below another one':
        /authority\/revoked\/1: removed[\s\S]*RevokedCertificates\/2/,
    },
  },
  {
    name: 'log-in-with-a-certificate',
    prints: {
      'Trust its CA, and choose the mapping': /Accounts\/admin\/Certificates\/./,
      'Log in': /Accounts\/admin"/,
    },
  },
  {
    name: 'from-another-machine',
    prints: {
      'Trust the service': /server\/https\/1/,
      'Give it a certificate':
        /server\/https\/1: [\s\S]*CN=The CA of the house[\s\S]*CERTIFICATES /,
    },
  },
  {
    name: 'back-up',
    happens: { 'Save it': cas, 'Bring it back': loss },
    prints: {
      'Bring it back': /truststore\/1 +CN=CA of the backup[\s\S]*server\/https\/1 /,
    },
  },
  {
    name: 'upgrade',
    happens: { 'Install the new package': newVersion },
    prints: {
      'Install the new package': /Setting up bmc-certificate-manager \(99\)/,
      After: /^active\nactive\n/,
    },
  },
  {
    name: 'run',
    prints: {
      'On a device': /^active\nactive\n[\s\S]*certificate manager ready/,
      'Give another service its certificate': /Usage +DigitalSignature[\s\S]*\n640 root www-data\n/,
      'Follow changes': /certs\/server\/https\/1/,
      'Serve a web UI': /A page/,
    },
  },
  {
    name: 'bmcweb',
    happens: { 'Leave port 443 to bmcweb': openBmc },
    prints: {
      'Start both': /^active\nactive\n/,
      'See that it works': /bmcweb\.service: Reloaded[\s\S]*under bmcweb/,
    },
  },
  {
    name: 'monitor',
    prints: {
      'Ask once, or from Nagios':
        /^CERTIFICATES OK - .*\nCERTIFICATES OK - 1 [\s\S]*bmc\.example\.com/,
      'Serve the state to Prometheus': /^bmc_certificate_not_after.*server\/https/m,
    },
  },
  {
    name: 'troubleshoot',
    typed: ['Another-pass-1'],
    happens: {
      'A client is locked out': login.replace('read -r password', 'password=Another-pass-1'),
    },
    prints: {
      'Where to look first':
        /^ok +policy: [\s\S]*^ok +reload: every service to reload can be told[\s\S]*server\/https[\s\S]*Active: active/m,
      'The password is lost': /enabled administrator with the new password/,
      'A client is locked out': /^false\n/,
      'Clients see another certificate': /"Health": "OK"[\s\S]*server\/https\/1 /,
      'A certificate is refused': /key-m/,
      'A service was not reloaded': /bmc-redfish\.service/,
    },
  },
];
