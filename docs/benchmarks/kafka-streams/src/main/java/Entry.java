import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * As much of an entry of Pactum's log as the counters need, and no more: the envelope and the head of a record's first event.
 * `libs/journal/src/entry.rs` and `libs/events/src/codec.rs` say what the bytes are; the order of the events is that of
 * `libs/events/src/stored.rs`.
 */
final class Entry {
    static final int GENESIS = 'G';
    static final int CLAIM = 'C';
    static final int RECORD = 'R';

    private static final int PARTNER_APPLIED = 5;
    private static final int PARTNER_MANAGER_ASSIGNED = 14;
    private static final int DEAL_DRAFTED = 15;
    private static final int DEAL_REGISTERED = 16;
    private static final int DEAL_RESUBMITTED = 20;
    private static final int DEAL_STAGE_CHANGED = 29;

    private static final byte[][] STAGES = stages(
        "ProgramCreated", "PolicyPublished", "HistoryImportStarted", "HistoryImportCompleted", "ProgramArchived",
        "PartnerApplied", "PartnerApproved", "PartnerRejected", "PartnerEnrolled", "PartnerProfileUpdated",
        "PartnerActivated", "PartnerSuspended", "PartnerReinstated", "PartnerTerminated", "PartnerManagerAssigned",
        "DealDrafted", "DealRegistered", "DealConflictDetected", "DealReviewStarted", "DealActionRequired",
        "DealResubmitted", "DealApproved", "DealRejected", "DealMarkedDuplicate", "DealProtectionExtended",
        "DealProtectionExpired", "DealWithdrawn", "DealRevoked", "DealReassigned", "DealStageChanged",
        "DealAmended", "DealWon", "DealLost", "DealReopened", "VendorOpportunityOpened", "VendorOpportunityClosed");

    private final byte[] bytes;
    private int at;

    Entry(byte[] bytes) {
        this.bytes = bytes;
        if (bytes.length < 3 || bytes[0] != 1 || bytes[1] != 'P') {
            throw new IllegalArgumentException("not an entry of a Pactum log, or one of a newer version");
        }
    }

    int kind() {
        return bytes[2];
    }

    /** The term that a claim ends, -1 where it is the first. */
    long after() {
        return bytes[3] == 0 ? -1 : fixed(4);
    }

    long term() {
        return fixed(3);
    }

    long n() {
        return fixed(11);
    }

    /**
     * The counter that a record adds one to: program, partner and stage, each with a zero byte after it. The partner is the one
     * who acted; else the one whom the first event names; else nobody. The stage is the one that the deal moved to, else what
     * happened. Null where the record has no event.
     */
    byte[] counter() {
        at = 19;
        if (bytes[at++] != 1) {
            throw new IllegalArgumentException("a record of a newer version");
        }
        int program = at;
        int programEnd = skipText();
        skipVarint(); // sequence
        skipVarint(); // recorded_at
        skipText(); // actor: subject
        skipVarint(); // its role
        int partner = 0;
        int partnerEnd = 0;
        if (option()) { // its partner
            partner = at;
            partnerEnd = skipText();
        }
        if (option()) { // request: id, content hash
            skipText();
            at += 16;
        }
        for (int text = 0; text < 3; text++) { // correlation_id, causation_id, traceparent
            if (option()) {
                skipText();
            }
        }
        skipVarint(); // policy_version
        if (varint() == 0) { // events
            return null;
        }
        skipVarint(); // aggregate_version
        skipVarint(); // occurred_at
        int event = (int) varint();
        byte[] stage = STAGES[event];
        if (partner == 0 && event >= PARTNER_APPLIED && event <= PARTNER_MANAGER_ASSIGNED) {
            partner = at;
            partnerEnd = skipText();
        } else if (event == DEAL_STAGE_CHANGED) {
            skipText(); // deal
            skipText(); // from
            int to = at;
            int toEnd = skipText();
            stage = Arrays.copyOfRange(bytes, start(to), toEnd);
        } else if (partner == 0 && (event == DEAL_DRAFTED || event == DEAL_REGISTERED || event == DEAL_RESUBMITTED)) {
            skipText(); // deal
            partner = at;
            partnerEnd = skipText();
        }
        return key(program, programEnd, partner, partnerEnd, stage);
    }

    private byte[] key(int program, int programEnd, int partner, int partnerEnd, byte[] stage) {
        int programStart = start(program);
        int partnerStart = partner == 0 ? 0 : start(partner);
        int programLength = programEnd - programStart;
        int partnerLength = partnerEnd - partnerStart;
        byte[] key = new byte[programLength + partnerLength + stage.length + 3];
        System.arraycopy(bytes, programStart, key, 0, programLength);
        System.arraycopy(bytes, partnerStart, key, programLength + 1, partnerLength);
        System.arraycopy(stage, 0, key, programLength + partnerLength + 2, stage.length);
        return key;
    }

    /** Where the letters of a text begin whose length is at `text`. */
    private int start(int text) {
        at = text;
        skipVarint();
        return at;
    }

    private boolean option() {
        return bytes[at++] != 0;
    }

    private int skipText() {
        int length = (int) varint();
        at += length;
        return at;
    }

    private void skipVarint() {
        while (bytes[at++] < 0) {
            // A negative byte has its highest bit set: more follow.
        }
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes[at++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    private long fixed(int from) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(from);
    }

    private static byte[][] stages(String... names) {
        byte[][] stages = new byte[names.length][];
        for (int index = 0; index < names.length; index++) {
            stages[index] = names[index].getBytes(StandardCharsets.US_ASCII);
        }
        return stages;
    }
}
