/** What `bootstrap.mjs` offers; it is plain JavaScript because it runs before anything is installed. */
export function bootstrap(root: string, options?: { web?: boolean; say?: (line: string) => void }): Promise<void>;
export function isInstalled(root: string): boolean;
export function isBuilt(root: string): boolean;
export function locked<Result>(file: string, say: (line: string) => void, work: () => Result): Promise<Result>;
