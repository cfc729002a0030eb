import { Moment } from "@/ui/age";
import { TextField } from "@/ui/field";

interface CodeFieldProps {
  /** Shown so that a phone whose clock is wrong is found out. */
  serverTime?: string;
  autoFocus?: boolean;
  /** The very first code: there are no recovery codes yet. */
  first?: boolean;
}

/** The six digits of an authenticator app, or a recovery code. */
export function CodeField({ serverTime, autoFocus = false, first = false }: CodeFieldProps) {
  return (
    <TextField
      label="Code of your authenticator app"
      name="code"
      inputMode="text"
      autoComplete="one-time-code"
      autoCapitalize="off"
      spellCheck={false}
      maxLength={40}
      required
      autoFocus={autoFocus}
      hint={
        <>
          Six digits, new every 30 seconds{!first && "; or one of your recovery codes"}.
          {serverTime && (
            <>
              {" "}
              The server's clock says <Moment at={serverTime} clockOnly />.
            </>
          )}
        </>
      }
    />
  );
}

export function PasswordField() {
  return (
    <TextField
      label="Your password"
      name="password"
      type="password"
      autoComplete="current-password"
      required
      autoFocus
    />
  );
}
