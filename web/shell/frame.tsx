import {
  ActionIcon,
  AppShell,
  Avatar,
  Burger,
  Group,
  Menu,
  NavLink,
  ScrollArea,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconLogout, IconMoon, IconSun, IconUserCircle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useRouter } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { api } from '../api.ts';
import { tell } from '../ui/notices.ts';
import classes from './frame.module.css';
import { useCan, useMe } from './me.ts';
import { rooms } from './navigation.ts';

/** The frame of every page behind the sign-in: header, sidebar, and the page itself. */
export function Frame() {
  const [isOpen, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  useEffect(close, [pathname, close]);
  usePageFocus(pathname);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 248, breakpoint: 'md', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'md', sm: 'lg', lg: 'xl' }}
    >
      <a href="#page" className="skip-link">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="md"
              size="sm"
              aria-label={isOpen ? 'Close the menu' : 'Open the menu'}
              aria-expanded={isOpen}
            />
            <Brand />
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ColorSchemeButton />
            <PersonMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar aria-label="Rooms" className={isOpen ? '' : (classes['closed'] ?? '')}>
        <Sidebar pathname={pathname} />
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

/** After a change of page the keyboard goes on from the page, not from the menu; a field that took the focus keeps it. */
function usePageFocus(pathname: string): void {
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    const page = document.getElementById('page');
    if (!page?.contains(document.activeElement)) page?.focus({ preventScroll: true });
  }, [pathname]);
}

function Brand() {
  const { workspace } = useMe();
  return (
    <UnstyledButton renderRoot={(props: object) => <Link to="/" {...props} />} style={{ minWidth: 0 }}>
      <Group gap="sm" wrap="nowrap">
        <img src="/parley.svg" alt="" width={28} height={28} />
        <Text fw={700} visibleFrom="xs">
          Parley
        </Text>
        <Text c="dimmed" truncate>
          {workspace.name}
        </Text>
      </Group>
    </UnstyledButton>
  );
}

function ColorSchemeButton() {
  const { setColorScheme } = useMantineColorScheme();
  const current = useComputedColorScheme('light');
  const next = current === 'dark' ? 'light' : 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      onClick={() => setColorScheme(next)}
      aria-label={`Switch to ${next} colours`}
      title={`Switch to ${next} colours`}
    >
      {current === 'dark' ? <IconSun size={20} aria-hidden /> : <IconMoon size={20} aria-hidden />}
    </ActionIcon>
  );
}

function PersonMenu() {
  const me = useMe();
  const queryClient = useQueryClient();
  const router = useRouter();
  const initials = initialsOf(me.name);
  const signOut = async () => {
    try {
      await api('POST /auth/sign-out');
    } catch (error) {
      tell.problem(error);
      return;
    }
    await router.navigate({ to: '/sign-in' });
    queryClient.clear();
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={`${initials}, your account: ${me.name}`}>
          <Avatar radius="xl" size={34} color="harbour">
            {initials}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {me.name}
          <br />
          {me.user?.email}
        </Menu.Label>
        <Menu.Item
          leftSection={<IconUserCircle size={16} aria-hidden />}
          renderRoot={(props: object) => <Link to="/settings/profile" {...props} />}
        >
          Profile
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** "Ada King Lovelace" -> "AL" */
function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends.map((word) => [...(word ?? '')][0]?.toUpperCase() ?? '').join('');
}

function Sidebar({ pathname }: { pathname: string }) {
  const can = useCan();
  return (
    <ScrollArea type="auto" p="sm" h="100%">
      {rooms.map((room) => {
        const places = room.places.filter((place) => !place.permission || can(place.permission));
        if (places.length === 0) return null;
        return (
          <div key={room.label ?? 'top'} role="group" aria-label={room.label ?? 'Start'}>
            {room.label && (
              <Text size="xs" fw={700} c="dimmed" mt="md" mb={4} px="sm" aria-hidden>
                {room.label}
              </Text>
            )}
            {places.map((place) => {
              const isHere = place.to === '/' ? pathname === '/' : `${pathname}/`.startsWith(`${place.to}/`);
              return (
                <NavLink
                  key={place.to}
                  label={place.label}
                  leftSection={<place.icon size={18} stroke={1.7} aria-hidden />}
                  active={isHere}
                  {...(isHere ? { 'aria-current': 'page' as const } : {})}
                  style={{ borderRadius: 'var(--mantine-radius-md)' }}
                  renderRoot={(props: object) => <Link to={place.to} {...props} />}
                />
              );
            })}
          </div>
        );
      })}
    </ScrollArea>
  );
}
