import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "@/api/client";
import { settleProof, useProof, withProof } from "./proof";

const stale = () => new ApiError(403, "STEP_UP_NEEDED", "This change needs a fresh proof.", "");

describe("withProof", () => {
  afterEach(() => useProof.setState({ waiting: null }));

  it("asks nothing while the proof is fresh", async () => {
    const act = vi.fn().mockResolvedValue("done");
    await expect(withProof(act)).resolves.toBe("done");
    expect(act).toHaveBeenCalledOnce();
    expect(useProof.getState().waiting).toBeNull();
  });

  it("asks once the proof is stale, and then does it", async () => {
    const act = vi.fn().mockRejectedValueOnce(stale()).mockResolvedValue("done");
    const doing = withProof(act);
    await vi.waitFor(() => expect(useProof.getState().waiting).not.toBeNull());
    settleProof(true);
    await expect(doing).resolves.toBe("done");
    expect(act).toHaveBeenCalledTimes(2);
  });

  it("does nothing when the proof is not given, and says so", async () => {
    const act = vi.fn().mockRejectedValue(stale());
    const doing = withProof(act);
    await vi.waitFor(() => expect(useProof.getState().waiting).not.toBeNull());
    settleProof(false);
    await expect(doing).rejects.toThrow("nothing was changed");
    expect(act).toHaveBeenCalledOnce();
  });

  it("passes every other failure on", async () => {
    const other = new ApiError(422, "KEY_UNSAFE", "The key may withdraw money.", "");
    await expect(withProof(() => Promise.reject(other))).rejects.toBe(other);
    expect(useProof.getState().waiting).toBeNull();
  });
});
