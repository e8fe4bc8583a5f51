import { PageHeader } from '../../../ui/index.ts';

export function Profile() {
  return <PageHeader title="Profile" />;
}
