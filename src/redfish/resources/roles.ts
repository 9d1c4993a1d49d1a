import { isRoleId, roles } from '../../identity/roles.ts';
import { notFound } from '../messages/redfish-error.ts';
import { collectionView, naming, type Resource, readOnly } from '../resource.ts';

const collection = '/redfish/v1/AccountService/Roles';

/** The predefined roles (DSP0266, "Roles"), which cannot be changed. */
export const roleResources: readonly Resource[] = [
  readOnly(collection, 'RoleCollection', () =>
    collectionView(
      collection,
      'RoleCollection',
      ['Roles Collection', 'BMC User Roles'],
      Object.keys(roles).map((role) => `${collection}/${role}`),
    ),
  ),
  readOnly(`${collection}/:role`, 'Role', ({ parameters: { role = '' } }) => {
    if (!isRoleId(role)) throw notFound('Role', role);
    return {
      ...naming('Role', `${collection}/${role}`),
      Name: 'User Role',
      Description: `${role} User Role`,
      RoleId: role,
      IsPredefined: true,
      AssignedPrivileges: roles[role],
      OemPrivileges: [],
    };
  }),
];
