/** What pages are built from: one look, one behaviour, accessible by default. Knows nothing of any one page. */
export { ChainCheck } from './chain-check.tsx';
export { confirm, type Question } from './confirm.tsx';
export { DataTable, type Column } from './data-table.tsx';
export { EmptyState } from './empty-state.tsx';
export { FilterBar, type Filter } from './filter-bar.tsx';
export { useSubmit } from './form.ts';
export { createFormats, useFormats, type Formats } from './formats.ts';
export { LinkButton, TextLink } from './links.tsx';
export { tell } from './notices.ts';
export { PageHeader, type Crumb } from './page-header.tsx';
export { PermissionPicker, permissionInWords } from './permission-picker.tsx';
export { ProblemAlert } from './problem-alert.tsx';
export { ReadinessList } from './readiness-list.tsx';
export { Section } from './section.tsx';
export { StateBadge } from './state-badge.tsx';
export { CopyText, NumberText, TimeText } from './texts.tsx';
export { UnsavedGuard } from './unsaved-guard.tsx';
export { useUrlState, type UrlState, type UrlStateHandle } from './url-state.ts';
