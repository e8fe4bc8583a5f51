import { Stack } from '@mantine/core';
import { useMe } from '../../../shell/me.ts';
import { PageHeader } from '../../../ui/index.ts';
import { AboutYou } from './about-you.tsx';
import { Password } from './password.tsx';
import { Sessions } from './sessions.tsx';
import { TwoFactor } from './two-factor.tsx';

export function Profile() {
  const { user } = useMe();
  return (
    <>
      <PageHeader title="Profile" description="Your name, how you read times and numbers, and how you sign in." />
      {user && (
        <Stack gap="lg" maw={820}>
          <AboutYou user={user} />
          <Password />
          <TwoFactor isOn={user.twoFactorEnabled} />
          <Sessions />
        </Stack>
      )}
    </>
  );
}
