/** An em dash with its reason on hover and focus. Unknown is never zero and never has a colour. */
export function Unknown({ reason }: { reason: string | null | undefined }) {
  const why = reason || "The server does not know this value yet.";
  return (
    <button
      type="button"
      className="unknown text-ink-2"
      aria-label={`Unknown: ${why}`}
      onClick={(event) => event.preventDefault()}
    >
      —
      <span role="tooltip" aria-hidden>
        {why}
      </span>
    </button>
  );
}
