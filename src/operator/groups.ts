import { setPasswordCommand } from './commands/accounts.ts';
import { bundleGroups, bundleLoad, bundleMembers } from './commands/bundle/groups.ts';
import { bundlePublish } from './commands/bundle/publish.ts';
import { bundleCheckServer, bundleDownload } from './commands/bundle/server.ts';
import {
  bundleActivate,
  bundleDeactivate,
  bundleReset,
  bundleSetInterval,
  bundleSetRoutingInstance,
  bundleSetUrl,
} from './commands/bundle/settings.ts';
import { bundleStatus } from './commands/bundle/status.ts';
import { check } from './commands/check.ts';
import { csr } from './commands/csr.ts';
import { doctor } from './commands/doctor.ts';
import { enrolCa } from './commands/enrol/ca.ts';
import { enrolAbort, enrolNow } from './commands/enrol/requests.ts';
import { enrolShowRequest } from './commands/enrol/show-request.ts';
import { enrolStatus } from './commands/enrol/status.ts';
import { gnoiClearBundle, gnoiExtend, gnoiStatus } from './commands/gnoi.ts';
import { install, remove, replace } from './commands/installation.ts';
import { list } from './commands/list.ts';
import { netconfExplain } from './commands/netconf/explain.ts';
import {
  netconfAddIdentity,
  netconfDefaultIdentity,
  netconfIdentities,
  netconfRemoveIdentity,
  netconfResetIdentities,
} from './commands/netconf/identities.ts';
import {
  netconfRefused,
  netconfSessions,
  netconfStatus,
  netconfTrace,
} from './commands/netconf/status.ts';
import { discard, requests } from './commands/requests.ts';
import {
  bind,
  bindings,
  endpointAdd,
  endpointList,
  endpointRemove,
  unbind,
} from './commands/run-time-endpoints.ts';
import { reload, status } from './commands/services.ts';
import { show } from './commands/show.ts';
import { activate, commit, rollback, stage } from './commands/staging.ts';
import { rekey, renew } from './commands/successors.ts';
import { trustAdd, trustList, trustRemove, trustReplace } from './commands/trust.ts';
import { userAdd, userList, userRemove, userRole, userUnlock } from './commands/users.ts';
import { watch } from './commands/watch.ts';
import type { OperatorContext } from './context.ts';
import type { CommandGroup } from './framework/command.ts';

/** The commands of an operator over the bus. An edge that has commands adds a group of its own. */
export const operatorGroups: readonly CommandGroup<OperatorContext>[] = [
  { title: 'Certificates', commands: [list, show, install, replace, remove] },
  { title: 'Requests for certificates (CSRs)', commands: [csr, requests, discard, renew, rekey] },
  {
    title: 'Enrolment by CMP',
    commands: [enrolNow, enrolStatus, enrolShowRequest, enrolCa, enrolAbort],
  },
  { title: 'The gNOI service', commands: [gnoiStatus, gnoiExtend, gnoiClearBundle] },
  {
    title: 'The NETCONF service',
    commands: [
      ...[netconfStatus, netconfSessions, netconfRefused, netconfExplain, netconfTrace],
      ...[netconfIdentities, netconfAddIdentity, netconfRemoveIdentity],
      ...[netconfDefaultIdentity, netconfResetIdentities],
    ],
  },
  { title: 'Trusted CAs', commands: [trustList, trustAdd, trustRemove, trustReplace] },
  {
    title: 'Signed bundles of CAs',
    commands: [
      ...[bundleStatus, bundleCheckServer, bundleDownload],
      ...[bundleLoad, bundleGroups, bundleMembers],
      ...[bundleDeactivate, bundleActivate],
      ...[bundleSetUrl, bundleSetInterval, bundleSetRoutingInstance, bundleReset],
      bundlePublish,
    ],
  },
  {
    title: 'Endpoints of run time',
    commands: [endpointList, endpointAdd, endpointRemove, bindings, bind, unbind],
  },
  { title: 'Changes that undo themselves', commands: [stage, activate, commit, rollback] },
  { title: 'State of the device', commands: [status, reload, watch, check, doctor] },
  {
    title: 'Accounts',
    commands: [userList, userAdd, userRemove, userRole, userUnlock, setPasswordCommand],
  },
];
