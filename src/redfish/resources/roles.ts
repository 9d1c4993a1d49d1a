import { isRoleId, type RoleId, roles } from '../../identity/roles.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import type { ResourceFactory } from '../service-parts.ts';

const collection = '/redfish/v1/AccountService/Roles';

/** The predefined roles (DSP0266, "Roles"), which nobody can change. */
export const roleResources: ResourceFactory = () => [
  {
    path: collection,
    entity: 'RoleCollection',
    operations: {
      GET: {
        handle: () => {
          const members = Object.keys(roles).map((role) => link(`${collection}/${role}`));
          return json({
            '@odata.id': collection,
            '@odata.type': typeOf('RoleCollection'),
            Name: 'Roles Collection',
            Description: 'BMC User Roles',
            Members: members,
            'Members@odata.count': members.length,
          });
        },
      },
    },
  },
  {
    path: `${collection}/:role`,
    entity: 'Role',
    operations: {
      GET: {
        handle: ({ parameters: { role = '' } }) => {
          if (isRoleId(role)) return json(view(role));
          throw new RedfishError(404, { id: 'ResourceNotFound', args: ['Role', role] });
        },
      },
    },
  },
];

function view(role: RoleId) {
  return {
    '@odata.id': `${collection}/${role}`,
    '@odata.type': typeOf('Role'),
    Id: role,
    Name: 'User Role',
    Description: `${role} User Role`,
    RoleId: role,
    IsPredefined: true,
    AssignedPrivileges: roles[role],
    OemPrivileges: [],
  };
}
