export async function demo(exit: boolean): Promise<number> { void exit; return 1; }
