import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import { forwardRef, type ReactNode } from 'react';

/** A typed link that looks like a button: `<LinkButton to="/campaigns/new">`. */
export const LinkButton = createLink(
  forwardRef<HTMLAnchorElement, Omit<ButtonProps, 'href'> & { children?: ReactNode }>(
    function LinkButtonRoot(props, ref) {
      return <Button component="a" ref={ref} {...props} />;
    },
  ),
);

/** A typed link in text: `<TextLink to="/contacts/$id" params={{ id }}>`. */
export const TextLink = createLink(
  forwardRef<HTMLAnchorElement, Omit<AnchorProps, 'href'> & { children?: ReactNode }>(
    function TextLinkRoot(props, ref) {
      return <Anchor component="a" ref={ref} inherit={props.size === undefined} {...props} />;
    },
  ),
);
