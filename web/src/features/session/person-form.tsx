import { zodResolver } from "@hookform/resolvers/zod";
import { useForm } from "react-hook-form";
import * as z from "zod/mini";
import { timeZones } from "@/fmt/time";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { useEnter } from "./enter";
import { FormError } from "./form-error";

const schema = z.object({
  token: z.string().check(z.trim(), z.minLength(1, "Paste the token.")),
  name: z.string().check(z.trim(), z.minLength(1, "Write your name.")),
  email: z.string().check(z.trim(), z.email("Write an e-mail address, for example you@example.com.")),
  password: z.string().check(z.minLength(12, "Use at least 12 characters.")),
  timezone: z.string(),
});

type Person = z.infer<typeof schema>;

interface PersonFormProps {
  path: string;
  token: string | undefined;
  tokenLabel: string;
  tokenHint: string;
  email?: string;
  submit: string;
  pending: string;
}

const HOME_ZONE = "Africa/Johannesburg";

/** Name, e-mail, password, time zone: the first admin and everybody invited fill in the same form. */
export function PersonForm({ path, token, tokenLabel, tokenHint, email, submit, pending }: PersonFormProps) {
  const enter = useEnter<Person>(path, "/");
  const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const form = useForm<Person>({
    resolver: zodResolver(schema),
    defaultValues: {
      token: token ?? "",
      name: "",
      email: email ?? "",
      password: "",
      timezone: ownZone === "UTC" ? HOME_ZONE : ownZone,
    },
  });
  const { errors } = form.formState;
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={form.handleSubmit((person) => enter.mutate(person))}
    >
      {!token && (
        <TextField
          label={tokenLabel}
          hint={tokenHint}
          autoComplete="off"
          spellCheck={false}
          error={errors.token?.message}
          {...form.register("token")}
        />
      )}
      <TextField
        label="Your name"
        autoComplete="name"
        error={errors.name?.message}
        {...form.register("name")}
      />
      <TextField
        label="E-mail"
        type="email"
        autoComplete="username"
        error={errors.email?.message}
        {...form.register("email")}
      />
      <TextField
        label="Password"
        type="password"
        autoComplete="new-password"
        hint="At least 12 characters. A sentence is good."
        error={errors.password?.message}
        {...form.register("password")}
      />
      <SelectField
        label="Time zone"
        hint="Days begin and end here, so profit per day does too."
        {...form.register("timezone")}
      >
        {timeZones().map((zone) => (
          <option key={zone}>{zone}</option>
        ))}
      </SelectField>
      <FormError error={enter.error} />
      <Button type="submit" look="primary" pending={enter.isPending && pending}>
        {submit}
      </Button>
    </form>
  );
}
