import { notifications } from '@mantine/notifications';
import { ApiProblem } from '../api.ts';

/** A short notice at the edge of the screen: what was done, or why it was not. */
export const tell = {
  done(message: string): void {
    notifications.show({ message, color: 'teal', autoClose: 5000 });
  },
  problem(error: unknown): void {
    const isProblem = error instanceof ApiProblem;
    notifications.show({
      title: isProblem ? error.title : 'Something went wrong',
      message: isProblem ? error.detail : String(error),
      color: 'red',
      autoClose: 12_000,
    });
  },
};
