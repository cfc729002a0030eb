import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, isUnauthenticated } from "@/api/client";
import { keys } from "@/api/keys";
import { announce } from "@/ui/notices";
import { useConnection } from "./connection";
import { applyEvent } from "./events";
import { PriceBatch, usePrices } from "./prices";
import { Refresh } from "./refresh";
import { LiveSocket, type Transport } from "./socket";

/** Unrealised figures follow the prices: the server marks them, we ask again at most this often. */
const MARKS_MS = 5_000;

const transport: Transport = {
  open: (path) => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`),
  probe: async () => {
    try {
      await api.get("/api/auth/me");
      return "up";
    } catch (error) {
      return isUnauthenticated(error) ? "signed_out" : "down";
    }
  },
  now: () => performance.now(),
  random: () => Math.random(),
};

/** Opens the socket while somebody is signed in and feeds what it says into the caches. */
export default function LiveConnection() {
  const client = useQueryClient();
  useEffect(() => {
    const refresh = new Refresh(client);
    const batch = new PriceBatch((prices) => usePrices.setState(prices), requestAnimationFrame.bind(window));
    let markedAt = performance.now();
    let greeted = false;
    const socket = new LiveSocket(
      {
        onState: (state) => {
          useConnection.setState({ state });
          if (state === "signed_out") client.setQueryData(keys.me, null);
        },
        onHeard: (serverTime) => {
          const heardAt = Date.now();
          if (serverTime === null) return useConnection.setState({ heardAt });
          useConnection.setState({ heardAt, clockOffsetMs: Date.parse(serverTime) - heardAt });
        },
        onHello: (hello) => {
          useConnection.setState({ servedSha: hello.dashboard_sha });
          if (greeted) void client.invalidateQueries({ queryKey: keys.build });
          // What was read before the socket listened may have missed an event in between.
          else void client.invalidateQueries({ predicate: ({ state }) => state.data !== undefined });
          greeted = true;
        },
        onLatency: (latencyMs) => useConnection.setState({ latencyMs }),
        onEvent: (event) => applyEvent(event, { client, refresh, announce }),
        onPrices: (prices) => {
          batch.add(prices);
          if (performance.now() - markedAt < MARKS_MS || document.hidden) return;
          markedAt = performance.now();
          refresh.add([...keys.profits, "summary"], keys.bots, ["bot"]);
        },
        // A decision follows a closed bar, so the chart has a new bar too.
        onDecided: (bots) => {
          if (document.hidden) return;
          refresh.add(keys.bots, ["candles"], ...bots.flatMap((id) => [keys.bot(id), keys.decisions(id)]));
        },
        onGap: () => client.invalidateQueries(),
      },
      transport,
    );
    const wake = () => {
      if (!document.hidden) socket.wake();
    };
    socket.start();
    window.addEventListener("online", wake);
    document.addEventListener("visibilitychange", wake);
    return () => {
      socket.stop();
      window.removeEventListener("online", wake);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [client]);
  return null;
}
