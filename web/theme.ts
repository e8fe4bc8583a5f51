import { createTheme, Drawer, Menu, Modal, Notification, type MantineColorsTuple } from '@mantine/core';

/** Deep harbour blue. From shade 7 on, white text on it passes AA (5.6:1). */
const harbour: MantineColorsTuple = [
  '#ecf6f9',
  '#d7eaf0',
  '#abd5e1',
  '#7bbfd2',
  '#55adc5',
  '#3a9fba',
  '#2887a2',
  '#0f6f8a',
  '#0f5f78',
  '#084c61',
];

export const theme = createTheme({
  primaryColor: 'harbour',
  primaryShade: { light: 7, dark: 7 },
  colors: { harbour },
  autoContrast: true,
  respectReducedMotion: true,
  cursorType: 'pointer',
  defaultRadius: 'md',
  fontFamily: 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '650' },
  components: {
    Modal: Modal.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } }),
    Drawer: Drawer.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } }),
    Notification: Notification.extend({ defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } }),
    // The placeholder is a child that a menu may not have (axe: aria-required-children).
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
  },
});
