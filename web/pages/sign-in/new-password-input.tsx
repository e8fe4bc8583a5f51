import { PasswordInput, type PasswordInputProps } from '@mantine/core';

/** The contract asks for the same; said here so that nobody has to be refused to learn it. */
export const shortestPassword = 12;

export function checkNewPassword(value: string): string | null {
  if (value.length >= shortestPassword) return null;
  return `Use at least ${shortestPassword} characters; a few words you can remember are best`;
}

export function NewPasswordInput(props: PasswordInputProps) {
  return (
    <PasswordInput
      label="Password"
      description={`At least ${shortestPassword} characters. A few words you can remember are best.`}
      autoComplete="new-password"
      visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the password' }}
      {...props}
    />
  );
}
