/** What pages are built from: one look, one behaviour, accessible by default. Knows nothing of any one page. */
export { confirm, type Question } from './confirm.tsx';
export { DataTable, type Column } from './DataTable.tsx';
export { EmptyState } from './EmptyState.tsx';
export { FilterBar, type Filter } from './FilterBar.tsx';
export { fieldOf, placeErrors, useSubmit } from './useSubmit.ts';
export { createFormats, useFormats, type Formats } from './useFormats.ts';
export { LinkButton, TextLink } from './links.tsx';
export { tell } from './notices.ts';
export { PageHeader, type Crumb } from './PageHeader.tsx';
export { ProblemAlert } from './ProblemAlert.tsx';
export { ReadinessList } from './ReadinessList.tsx';
export { StateBadge } from './StateBadge.tsx';
export { CopyText, NumberText, TimeText } from './texts.tsx';
export { UnsavedGuard } from './UnsavedGuard.tsx';
export { useUrlState, type UrlState, type UrlStateHandle } from './useUrlState.ts';
