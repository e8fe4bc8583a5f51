import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './theme.css';
import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onSignedOut } from './api.ts';
import { queryClient } from './query.ts';
import { router } from './router.tsx';
import { theme } from './theme.ts';

/** The session ended while a page was open: sign in again, then come back to it. */
onSignedOut(() => {
  if (
    router.state.matches.some((match) => match.routeId === '/app') &&
    queryClient.getQueryData(['me', 'GET /me', {}])
  ) {
    queryClient.clear();
    void router.navigate({ to: '/sign-in', search: { next: router.state.location.href } });
  }
});

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <ModalsProvider>
          <Notifications position="bottom-right" />
          <RouterProvider router={router} />
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
