import { createFileRoute } from "@tanstack/react-router";
import { NotFound } from "@/features/frame/screen-states";

/** Any other address, inside the frame, so that one finds the way on. */
export const Route = createFileRoute("/_app/$")({ component: NotFound });
