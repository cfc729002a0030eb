/** The commit that this dashboard was built from, with "+" when the tree had changes. */
declare const __BUILD_SHA__: string;
