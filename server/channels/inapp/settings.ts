import { z } from 'zod';

export const inAppSettings = z.strictObject({
  allowedOrigins: z
    .array(
      z
        .string()
        .max(300)
        .refine((text) => originOf(text) === text, 'must be an origin such as https://app.example.com, without a path'),
    )
    .max(50)
    .nullable()
    .meta({
      title: 'Allowed origins',
      description: 'Sites whose pages may show the inbox, such as https://app.example.com',
    }),
});
export type InAppSettings = z.output<typeof inAppSettings>;

/** It is Parley itself that keeps the messages: nothing to sign in to. */
export const inAppSecrets = z.strictObject({});
export type InAppSecrets = z.output<typeof inAppSecrets>;

function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.origin : undefined;
}
