import { createFileRoute } from "@tanstack/react-router";
import { RiskScreen } from "@/features/risk/risk-screen";

export const Route = createFileRoute("/_app/risk")({ component: RiskScreen });
