// Installs dbus-broker for the tests of the policy. `npm test` does not: the package makes dbus-broker the system bus of the
// next boot, which is for the owner of a machine to decide.
import { existsSync } from 'node:fs';
import { installFromDebian } from './prepare.mjs';

if (!existsSync('/usr/bin/dbus-broker-launch'))
  installFromDebian(['dbus-broker', 'systemd'], ['dbus-broker']);
